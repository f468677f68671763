import { FileDataService } from 'nestjs-bulwark/data';
import { dataServiceContract } from './data-service.contract.js';
import { temporaryFolder } from './temporary-folder.js';

for (const syncOn of ['thread', 'loop'] as const) {
  let path = '';

  dataServiceContract({
    name: `fileData, syncOn '${syncOn}'`,
    replicable: true,
    async open() {
      path = await temporaryFolder();
      return FileDataService.open({ path, syncOn });
    },
    reopen: () => FileDataService.open({ path, syncOn }),
  });
}
