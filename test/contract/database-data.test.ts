import { join } from 'node:path';
import { DatabaseDataService } from 'nestjs-bulwark/data';
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
