import { FileDataService } from 'nestjs-bulwark/data';
import { dataServiceContract } from './data-service.contract.js';
import { temporaryFolder } from './temporary-folder.js';

let folder = '';

dataServiceContract({
  name: 'fileData',
  replicable: true,
  async open() {
    folder = await temporaryFolder();
    return FileDataService.open({ path: folder });
  },
  reopen: () => FileDataService.open({ path: folder }),
});
