import { join } from 'node:path';
import type { DataService } from 'nestjs-bulwark';
import { DatabaseDataService, FileDataService } from 'nestjs-bulwark/data';
import type { Settings } from './settings.js';

/** The one place that knows where the shop's data lives; everything else asks for a `DataService`. */
export function openData({ dataBackend, dataFolder, databaseUrl }: Settings): Promise<DataService> {
  switch (dataBackend) {
    case 'file':
      return FileDataService.open({ path: join(dataFolder, 'shop') });
    case 'database':
      return DatabaseDataService.open({ url: databaseUrl });
  }
}
