import { Logger } from '@nestjs/common';
import { DataUnavailableException } from '../../errors.js';
import type { ResolvedServerOptions } from '../database-options.js';
import { withTimeLimit } from '../time-limit.js';
import { ConnectionPool } from './connection-pool.js';
import type { WeakSetting } from './durability.js';
import { describeWeakSetting } from './durability.js';
import { describeAddress } from './server-address.js';
import type { ServerDialect } from './server-backend.js';
import { ServerBackend } from './server-backend.js';
import type { ServerConnection } from './server-connection.js';
import type { TlsMaterial } from './tls-request.js';
import { readTls } from './tls-request.js';

/** What one kind of server brings. */
export interface ServerKind {
  readonly dialect: ServerDialect;
  connect(tls: TlsMaterial | undefined, onLost: (connection: ServerConnection) => void): Promise<ServerConnection>;
  prepareTable(backend: ServerBackend, table: string, signal: AbortSignal): Promise<void>;
  /** What makes the server less durable than an acknowledgement promises. */
  checkSettings(backend: ServerBackend, table: string, signal: AbortSignal): Promise<WeakSetting[]>;
}

export async function openServer(options: ResolvedServerOptions, kind: ServerKind): Promise<ServerBackend> {
  const { address, table, poolSize, queryTimeout } = options;
  const place = describeAddress(address);
  const tls =
    address.tls &&
    (await readTls(address.tls).catch((cause: unknown) => {
      throw unreadable(place, cause);
    }));
  const pool = new ConnectionPool(poolSize, (onLost) => kind.connect(tls, onLost));
  const backend = new ServerBackend(place, kind.dialect, pool);
  try {
    const weak = await withTimeLimit(queryTimeout, undefined, async (signal) => {
      await kind.prepareTable(backend, table, signal);
      return kind.checkSettings(backend, table, signal);
    });
    const logger = new Logger('DatabaseDataService');
    for (const setting of weak) logger.warn(describeWeakSetting(place, setting));
    return backend;
  } catch (error) {
    await pool.close();
    throw error;
  }
}

function unreadable(place: string, cause: unknown): DataUnavailableException {
  return new DataUnavailableException(`The root certificates for ${place} cannot be read: ${String(cause)}`, { cause });
}
