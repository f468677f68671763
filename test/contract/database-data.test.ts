import { join } from 'node:path';
import { DatabaseDataService } from 'nestjs-bulwark/data';
import { afterAll, describe } from 'vitest';
import { mysqlServer, postgresServer, randomTable } from '../support/servers/shared-servers.js';
import { dataServiceContract } from './data-service.contract.js';
import { temporaryFolder } from './temporary-folder.js';

let url = '';

dataServiceContract({
  name: 'databaseData on an SQLite file',
  replicable: true,
  async open() {
    url = `sqlite:${join(await temporaryFolder(), 'data.db')}`;
    return DatabaseDataService.open({ url });
  },
  reopen: () => DatabaseDataService.open({ url }),
  share: () => DatabaseDataService.open({ url }),
});

dataServiceContract({
  name: 'databaseData on SQLite in memory',
  replicable: true,
  open: () => DatabaseDataService.open({ url: 'sqlite::memory:' }),
});

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
