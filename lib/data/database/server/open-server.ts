import { Logger } from '@nestjs/common';
import { DataUnavailableException } from '../../port/errors.js';
import type { ResolvedServerOptions } from '../database-options.js';
import { withTimeLimit } from '../time-limit.js';
import type { Connect } from './connection-pool.js';
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
  /** Whether an error of {@link connect} says that the server takes no encrypted connection. */
  lacksTls(error: unknown): boolean;
  connect(tls: TlsMaterial | undefined, onLost: (connection: ServerConnection) => void): Promise<ServerConnection>;
  prepareTable(backend: ServerBackend, table: string, signal: AbortSignal): Promise<void>;
  /** What makes the server less durable than an acknowledgement promises. */
  checkSettings(backend: ServerBackend, table: string, signal: AbortSignal): Promise<WeakSetting[]>;
}

export async function openServer(options: ResolvedServerOptions, kind: ServerKind): Promise<ServerBackend> {
  const { address, table, poolSize, connectTimeout, queryTimeout } = options;
  const place = describeAddress(address);
  const tls =
    address.tls &&
    (await readTls(address.tls).catch((cause: unknown) => {
      throw unreadable(place, cause);
    }));
  const logger = new Logger('DatabaseDataService');
  if (address.ignored.length > 0) {
    const names = address.ignored.map((name) => `'${name}'`).join(', ');
    logger.warn(`The address of ${place} has parameters that mean nothing here, and are ignored: ${names}`);
  }
  const connect: Connect =
    address.tls?.mode === 'prefer' ? preferTls(place, kind, tls, logger) : (onLost) => kind.connect(tls, onLost);
  const pool = new ConnectionPool(poolSize, connect);
  const backend = new ServerBackend(place, kind.dialect, pool);
  try {
    // The first connection may take all the time that connecting may take.
    const weak = await withTimeLimit(connectTimeout + queryTimeout, undefined, async (signal) => {
      await kind.prepareTable(backend, table, signal);
      return kind.checkSettings(backend, table, signal);
    });
    for (const setting of weak) logger.warn(describeWeakSetting(place, setting));
    return backend;
  } catch (error) {
    await pool.close();
    throw error;
  }
}

/** Encrypted where the server offers that; once it has said that it does not, no more is asked. */
function preferTls(place: string, kind: ServerKind, tls: TlsMaterial | undefined, logger: Logger): Connect {
  let isClear = false;
  return async (onLost) => {
    if (isClear) return kind.connect(undefined, onLost);
    try {
      return await kind.connect(tls, onLost);
    } catch (error) {
      if (!kind.lacksTls(error)) throw error;
      if (!isClear) logger.warn(`The connection to ${place} is in clear text: the server offers no encryption`);
      isClear = true;
      return kind.connect(undefined, onLost);
    }
  };
}

function unreadable(place: string, cause: unknown): DataUnavailableException {
  return new DataUnavailableException(`The root certificates for ${place} cannot be read: ${String(cause)}`, { cause });
}
