import { DatabaseDataService } from 'nestjs-bulwark/data';
import { afterAll, describe } from 'vitest';
import { mysqlServer, postgresServer, randomTable } from '../support/servers/shared-servers.js';
import { dataServiceContract } from './data-service.contract.js';

for (const server of await Promise.all([mysqlServer(), postgresServer()])) {
  describe.skipIf(server.missing)(server.name, () => {
    const table = randomTable();
    const open = (): Promise<DatabaseDataService> => DatabaseDataService.open({ url: server.url, table });

    afterAll(() => server.run(`DROP TABLE ${table}`));

    dataServiceContract({
      name: `databaseData on ${server.name}`,
      replicable: true,
      async open() {
        const data = await open();
        await server.run(`DELETE FROM ${table}`);
        return data;
      },
      reopen: open,
      share: open,
    });
  });
}
