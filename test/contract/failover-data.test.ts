import { join } from 'node:path';
import { databaseData, FailoverDataService, type FailoverDataOptions } from 'nestjs-bulwark/data';
import { dataServiceContract } from './data-service.contract.js';
import { temporaryFolder } from './temporary-folder.js';

let folder = '';

/** On an SQLite file, which the service opens and closes itself. */
function options(writes: 'reject' | 'queue'): FailoverDataOptions {
  const primary = databaseData({ url: `sqlite:${join(folder, 'data.db')}` });
  return writes === 'reject' ? { primary } : { primary, writes, queue: { path: join(folder, 'queue') } };
}

for (const writes of ['reject', 'queue'] as const) {
  dataServiceContract({
    name: `failoverData with writes: '${writes}'`,
    async open() {
      folder = await temporaryFolder();
      return FailoverDataService.open(options(writes));
    },
    reopen: () => FailoverDataService.open(options(writes)),
  });
}
