import { DataUnavailableException } from 'nestjs-bulwark/data';
import { describe, expect, it } from 'vitest';
import { ConnectionPool } from '../../../../lib/data/database/server/connection-pool.js';
import {
  ServerBackend,
  type ServerDialect,
  type ServerErrorKind,
} from '../../../../lib/data/database/server/server-backend.js';
import type { ServerConnection } from '../../../../lib/data/database/server/server-connection.js';
import { withTimeLimit } from '../../../../lib/data/database/time-limit.js';

/** A backend whose queries do as `query` says. */
function backendOf(query: (asked: number) => Promise<never>, kind: ServerErrorKind) {
  let asked = 0;
  const connection = {
    isLost: false,
    keepAlive: () => undefined,
    destroy: () => undefined,
    query: () => query(++asked),
  } as unknown as ServerConnection;
  const pool = new ConnectionPool(1, async () => connection);
  const dialect = { queries: undefined, kindOf: () => kind } as unknown as ServerDialect;
  return { backend: new ServerBackend('the place', dialect, pool), pool, asked: () => asked };
}

describe('a query', () => {
  it('is not sent again where its time ends in the pause after a conflict', async () => {
    const controller = new AbortController();
    const late = new DataUnavailableException('late');
    const { backend, asked } = backendOf(async () => {
      // Once the pause has begun.
      setImmediate(() => controller.abort(late));
      return Promise.reject(new Error('deadlock'));
    }, 'conflict');

    await expect(backend.query('SELECT 1', [], controller.signal)).rejects.toBe(late);
    expect(asked()).toBe(1);
  });

  it('is not sent under a signal that has aborted, on a connection that is idle', async () => {
    const { pool } = backendOf(() => new Promise(() => undefined), 'unavailable');
    await pool.use(new AbortController().signal, async () => undefined);
    let isBegun = false;
    const late = new Error('late');

    await expect(pool.use(AbortSignal.abort(late), async () => (isBegun = true))).rejects.toBe(late);
    expect(isBegun).toBe(false);
    // The connection was given back.
    expect(await pool.use(new AbortController().signal, async () => 1)).toBe(1);
  });

  it('that has lost its connection before it was sent is asked again', async () => {
    const { backend, asked } = backendOf(
      (n) =>
        n < 3 ? Promise.reject(new Error('not queryable')) : (Promise.resolve({ rows: [], changed: 1 }) as never),
      'lost',
    );

    expect(await backend.query('SELECT 1', [], new AbortController().signal)).toEqual({ rows: [], changed: 1 });
    expect(asked()).toBe(3);
  });

  it('has no time where its caller has none left', async () => {
    const late = new Error('late');

    await expect(withTimeLimit(1_000, AbortSignal.abort(late), async () => 1)).rejects.toBe(late);
  });
});
