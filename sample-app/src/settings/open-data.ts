import { join } from 'node:path';
import type { DataService } from 'nestjs-bulwark';
import { databaseData, DatabaseDataService, FailoverDataService, fileData, FileDataService } from 'nestjs-bulwark/data';
import type { Settings } from './settings.js';

/** Shorter than what any route may take, so that a database which is silent is a 503 that says when to come back. */
const QUERY_MS = 750;

/** The one place that knows where the shop's data lives; everything else asks for a `DataService`. */
export function openData({ dataBackend, dataFolder, databaseUrl }: Settings): Promise<DataService> {
  switch (dataBackend) {
    case 'file':
      return FileDataService.open({ path: join(dataFolder, 'shop') });
    case 'database':
      return DatabaseDataService.open({ url: databaseUrl, queryTimeout: QUERY_MS });
    case 'failover':
      // Orders are taken while the database is away: they wait on this disk, and a copy of it is read meanwhile.
      return FailoverDataService.open({
        primary: databaseData({ url: databaseUrl }),
        standbys: [{ mirror: fileData({ path: join(dataFolder, 'mirror') }) }],
        reads: 'fallback',
        writes: 'queue',
        queue: { path: join(dataFolder, 'queue') },
      });
  }
}
