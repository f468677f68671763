import { DataUnavailableException } from 'nestjs-bulwark/data';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionPool } from '../../../../lib/data/database/server/connection-pool.js';
import type { ServerConnection } from '../../../../lib/data/database/server/server-connection.js';
import { track } from '../../../support/settle.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const forEver = (): AbortSignal => new AbortController().signal;
const settled = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

/** A connection whose end is told to the pool, as a socket does. */
class FakeConnection {
  isLost = false;
  keepsAlive = true;
  ended = false;
  onFailure: ((error: Error) => void) | undefined;

  constructor(private readonly onLost: (connection: ServerConnection) => void) {}

  keepAlive(needed: boolean): void {
    this.keepsAlive = needed;
  }

  async end(): Promise<void> {
    this.ended = true;
  }

  destroy(): void {
    this.isLost = true;
    this.onFailure?.(new Error('lost'));
    this.onLost(this as unknown as ServerConnection);
  }
}

function setUp(size = 2) {
  const made: FakeConnection[] = [];
  let refusal: Error | undefined;
  const pool = new ConnectionPool(size, async (onLost) => {
    await Promise.resolve();
    if (refusal !== undefined) throw refusal;
    const connection = new FakeConnection(onLost);
    made.push(connection);
    return connection as unknown as ServerConnection;
  });
  /** Work that goes on until it is told to end, or its connection is lost. */
  const hold = (signal = forEver()) => {
    let release = (): void => undefined;
    const work = pool.use(
      signal,
      (connection) =>
        new Promise<ServerConnection>((resolve, reject) => {
          release = () => resolve(connection);
          (connection as unknown as FakeConnection).onFailure = reject;
        }),
    );
    return { work: track(work), release: () => release() };
  };
  return { pool, made, hold, refuse: (error: Error | undefined) => (refusal = error) };
}

describe('ConnectionPool', () => {
  it('hands a connection on from one query to the next', async () => {
    const { pool, made } = setUp();
    for (let i = 0; i < 5; i++) await pool.use(forEver(), async () => i);

    expect(made.length).toBe(1);
  });

  it('opens no more than its size, and serves those who wait in order', async () => {
    const { pool, made, hold } = setUp(2);
    const [a, b] = [hold(), hold()];
    await settled();
    const order: number[] = [];
    const waiting = [1, 2, 3].map((i) => pool.use(forEver(), async () => order.push(i)));
    await settled();
    expect(order).toEqual([]);
    a.release();
    await Promise.all(waiting);
    b.release();

    expect(order).toEqual([1, 2, 3]);
    expect(made.length).toBe(2);
  });

  it('lets no idle connection keep the process alive', async () => {
    const { made, hold } = setUp();
    const one = hold();
    await settled();
    expect(made[0]?.keepsAlive).toBe(true);
    one.release();
    await settled();

    expect(made[0]?.keepsAlive).toBe(false);
  });

  it('ends a wait with the reason of its signal, and serves the next one', async () => {
    const { pool, hold } = setUp(1);
    const one = hold();
    await settled();
    const controller = new AbortController();
    const waiting = track(pool.use(controller.signal, async () => 1));
    const next = pool.use(forEver(), async () => 2);
    controller.abort('gone');
    await settled();
    expect(waiting).toMatchObject({ status: 'rejected', outcome: 'gone' });
    one.release();

    expect(await next).toBe(2);
  });

  it('lets a query whose caller is gone come to its end, and keeps the connection', async () => {
    const { pool, made, hold } = setUp();
    const controller = new AbortController();
    const one = hold(controller.signal);
    await settled();
    controller.abort('gone');
    await vi.advanceTimersByTimeAsync(900);
    one.release();
    await settled();
    await pool.use(forEver(), async () => 1);

    expect(made.length).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives up a connection whose query does not end after its caller is gone, and all idle ones', async () => {
    const { made, hold } = setUp(3);
    const controller = new AbortController();
    const [one, other, third] = [hold(controller.signal), hold(), hold()];
    await settled();
    other.release();
    third.release();
    controller.abort('gone');
    await vi.advanceTimersByTimeAsync(999);
    expect(one.work.status).toBe('pending');
    await vi.advanceTimersByTimeAsync(1);

    expect(one.work.status).toBe('rejected');
    expect(made.map(({ isLost }) => isLost)).toEqual([true, true, true]);
  });

  it('gives it up at once when the time limit is over', async () => {
    const { made, hold } = setUp();
    const controller = new AbortController();
    const one = hold(controller.signal);
    await settled();
    controller.abort(new DataUnavailableException('too late'));
    await vi.advanceTimersByTimeAsync(1);

    expect(one.work.status).toBe('rejected');
    expect(made[0]?.isLost).toBe(true);
  });

  it('replaces a connection that was lost while idle, or in use', async () => {
    const { pool, made, hold } = setUp(1);
    await pool.use(forEver(), async () => 1);
    made[0]?.destroy();
    const one = hold();
    await settled();
    const next = pool.use(forEver(), async () => 2);
    made[1]?.destroy();
    await settled();

    expect(one.work.status).toBe('rejected');
    expect(await next).toBe(2);
    expect(made.length).toBe(3);
  });

  it('does not trust a connection that was idle for more than a minute', async () => {
    const { pool, made } = setUp();
    await pool.use(forEver(), async () => 1);
    await vi.advanceTimersByTimeAsync(60_001);
    await pool.use(forEver(), async () => 2);

    expect(made.map(({ isLost }) => isLost)).toEqual([true, false]);
  });

  it('tells all who wait that no connection can be made, and tries again for the next one', async () => {
    const { pool, refuse } = setUp(2);
    const refusal = new Error('refused');
    refuse(refusal);
    const waiting = [1, 2, 3].map((i) => track(pool.use(forEver(), async () => i)));
    await settled();
    expect(waiting.map(({ outcome }) => outcome)).toEqual([refusal, refusal, refusal]);
    refuse(undefined);

    expect(await pool.use(forEver(), async () => 4)).toBe(4);
  });

  it('lets those wait for a connection in use when no further one can be made', async () => {
    const { pool, hold, refuse } = setUp(2);
    const one = hold();
    await settled();
    refuse(new Error('too many connections'));
    const waiting = pool.use(forEver(), async () => 2);
    await settled();
    one.release();

    expect(await waiting).toBe(2);
  });

  it('ends all idle connections in order when it is closed', async () => {
    const { pool, made } = setUp();
    await pool.use(forEver(), async () => 1);
    await pool.close();

    expect(made[0]?.ended).toBe(true);
  });
});
