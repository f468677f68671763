import { describe, expect, it } from 'vitest';
import {
  DataConflictException,
  DataReadOnlyException,
  DataRejectedException,
  DataUnavailableException,
} from '../../../../lib/data/index.js';
import { FailoverScene } from '../../../support/failover-scene.js';
import { DOWN } from '../../../support/memory-data.service.js';
import { errorOf, settle, track } from '../../../support/settle.js';
import { explained } from '../../../support/explained.js';

const READ_ONLY = { error: new DataReadOnlyException('the server is running with --read-only') };

describe("failoverData with writes: 'reject'", () => {
  it('writes to the primary', async () => {
    const scene = new FailoverScene();
    const data = await scene.open();

    await data.put('a', { n: 1 });

    expect(scene.primary.store.get('a')?.text).toBe('{"n":1}');
  });

  it('rejects with the reason while the primary is down', async () => {
    const scene = new FailoverScene();
    const data = await scene.open();
    scene.primary.fault = DOWN;

    await expect(data.put('a', 1)).rejects.toThrow(explained('connection refused'));
    await expect(data.delete('a')).rejects.toThrow(explained('connection refused'));
  });

  it('gives up on a primary that hangs, and aborts what it asked for', async () => {
    const scene = new FailoverScene();
    const data = await scene.open({ timeout: 300 });
    scene.primary.fault = 'hangs';
    const put = track(data.put('a', 1));

    await scene.clock.advance(299);
    expect(put.status).toBe('pending');
    await scene.clock.advance(1);

    expect(put.outcome).toBeInstanceOf(DataUnavailableException);
    expect((put.outcome as DataUnavailableException).explanation).toContain('gave no answer within 300 ms');
  });

  it('waits 2 s for an answer where no timeout is given', async () => {
    const scene = new FailoverScene();
    const data = await scene.open();
    scene.primary.fault = 'hangs';
    const put = track(data.put('a', 1));

    await scene.clock.advance(1_999);
    expect(put.status).toBe('pending');
    await scene.clock.advance(1);

    expect(put.status).toBe('rejected');
  });

  it('asks a primary that failed 5 times in a row no more, until a second has passed', async () => {
    const scene = new FailoverScene();
    const data = await scene.open();
    scene.primary.fault = DOWN;
    for (let i = 0; i < 5; i++) await errorOf(data.put('a', i));
    const asked = scene.primary.operations.length;

    const refused = await errorOf(data.put('a', 1));
    expect(refused).toBeInstanceOf(DataUnavailableException);
    expect((refused as DataUnavailableException).explanation).toContain('connection refused');
    expect(scene.primary.operations.length).toBe(asked);
    scene.primary.fault = undefined;
    await scene.clock.advance(1_100);
    await data.put('a', 2);

    expect(await data.get('a')).toBe(2);
    expect(scene.of('nodeDown')).toMatchObject([{ node: 'primary', reason: 'unavailable', error: DOWN.error }]);
    expect(scene.of('nodeUp')).toMatchObject([{ node: 'primary', downMs: 1_100 }]);
  });

  it('opens and closes the breaker as its options say', async () => {
    const scene = new FailoverScene();
    const trip = { name: 'at once', shouldTrip: ({ failures }: { failures: number }) => failures > 0 };
    const data = await scene.open({ breaker: { trip, resetTimeout: 5_000 } });
    scene.primary.fault = DOWN;
    await errorOf(data.put('a', 1));
    scene.primary.fault = undefined;

    expect(data.status().nodes).toMatchObject([{ name: 'primary', role: 'primary', state: 'down' }]);
    await scene.clock.advance(4_900);
    await expect(data.put('a', 1)).rejects.toThrow(DataUnavailableException);
    await scene.clock.advance(700);
    await data.put('a', 1);

    expect(data.status().nodes).toMatchObject([{ state: 'up' }]);
  });

  it('asks one that says it is read-only for no writes, but still for reads', async () => {
    const scene = new FailoverScene();
    const data = await scene.open();
    await data.put('a', 1);
    scene.primary.fault = (operation) => (operation === 'apply' ? READ_ONLY : undefined);

    await expect(data.put('a', 2)).rejects.toBe(READ_ONLY.error);
    await expect(data.put('a', 2)).rejects.toThrow(DataReadOnlyException);
    expect(scene.primary.operations.filter((operation) => operation === 'apply a').length).toBe(2);
    expect(await data.get('a')).toBe(1);
    expect(data.status().nodes).toMatchObject([{ state: 'readOnly' }]);
    expect(scene.of('nodeDown')).toMatchObject([{ node: 'primary', reason: 'readOnly', error: READ_ONLY.error }]);

    scene.primary.fault = undefined;
    await scene.clock.advance(1_100);
    await data.put('a', 3);

    expect(data.status().nodes).toMatchObject([{ state: 'up' }]);
    expect(scene.of('nodeUp')).toMatchObject([{ node: 'primary' }]);
  });

  it('is not brought down by what the primary refuses for good', async () => {
    const scene = new FailoverScene();
    const data = await scene.open();
    scene.primary.fault = { error: new DataRejectedException('value too long') };

    for (let i = 0; i < 20; i++) await expect(data.put('a', i)).rejects.toThrow(explained('value too long'));

    expect(data.status().nodes).toMatchObject([{ state: 'up' }]);
  });

  it('wins with a put that comes now over one of a process whose clock is ahead', async () => {
    const scene = new FailoverScene();
    const data = await scene.open();
    scene.skew = 60_000;
    const ahead = await scene.open();
    await ahead.put('a', 'early');

    await data.put('a', 'late');

    expect(await ahead.get('a')).toBe('late');
    expect(scene.of('conflict')).toEqual([]);
  });

  it('runs the writes of one key one after the other', async () => {
    const scene = new FailoverScene();
    const data = await scene.open();
    await Promise.all([data.put('a', 1), data.delete('a'), data.put('a', 2), data.put('b', 1)]);

    expect(scene.primary.store.get('a')?.text).toBe('2');
    const [first, second] = await Promise.allSettled([
      data.put('a', 3, { ifVersion: (await data.entry('a'))!.version }),
      data.put('a', 4, { ifVersion: (await data.entry('a'))!.version }),
    ]);
    expect([first.status, second.status]).toEqual(['fulfilled', 'rejected']);
  });

  it('begins no write whose caller is gone before its turn', async () => {
    const scene = new FailoverScene();
    const data = await scene.open({ timeout: 100 });
    const controller = new AbortController();
    scene.primary.fault = 'hangs';
    const first = track(data.put('a', 1));
    const second = track(data.put('a', 2, { signal: controller.signal }));
    await settle();

    controller.abort('gone');
    await scene.clock.advance(100);

    expect([first.status, second.outcome]).toEqual(['rejected', 'gone']);
    expect(scene.primary.operations).toEqual(['apply a']);
  });
});

describe("failoverData with writes: 'queue'", () => {
  it('acknowledges a put that is on this disk, and replays it when the primary is back', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    scene.primary.fault = DOWN;

    await data.put('a', 1);
    expect(scene.onDisk()).toEqual({ a: '1' });
    expect(data.status()).toMatchObject({ queueLength: 1, oldestQueuedMs: 0 });
    await scene.clock.advance(3_000);
    expect(data.status()).toMatchObject({ queueLength: 1, oldestQueuedMs: 3_000 });
    scene.primary.fault = undefined;
    await scene.clock.advance(3_000);

    expect(scene.primary.store.get('a')?.text).toBe('1');
    expect(scene.onDisk()).toEqual({});
    expect(data.status()).toMatchObject({ queueLength: 0, oldestQueuedMs: undefined });
    const [queued] = scene.of('queued');
    expect(queued).toMatchObject({ key: 'a', length: 1, error: DOWN.error });
    expect(scene.of('replayed')).toMatchObject([{ key: 'a', version: queued?.version, length: 0 }]);
    expect(scene.of('replayed')[0]?.waitedMs).toBeGreaterThan(3_000);
  });

  it('does not acknowledge what this disk does not take', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    scene.primary.fault = DOWN;
    scene.folder('pending').fault = { error: new Error('disk full') };

    await expect(data.put('a', 1)).rejects.toThrow(explained('disk full'));
    expect(await errorOf(data.get('a'))).toBe(DOWN.error);
  });

  it('still writes to the primary when this disk is full', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    scene.folder('pending').fault = { error: new Error('disk full') };

    await data.put('a', 1);

    expect(scene.primary.store.get('a')?.text).toBe('1');
  });

  it('acknowledges within 500 ms and a write to the disk when the primary hangs', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    scene.primary.fault = 'hangs';
    const put = track(data.put('a', 1));

    await scene.clock.advance(500);

    expect(put.status).toBe('fulfilled');
  });

  it.each(['answerHangs', { answerLost: new DataUnavailableException('connection reset') }] as const)(
    'queues a put whose outcome is unknown under its own version: %j',
    async (fault) => {
      const scene = new FailoverScene();
      const data = await scene.openQueued();
      let count = 0;
      scene.primary.fault = () => (++count === 1 ? fault : DOWN);
      const put = track(data.put('a', 1));
      await scene.clock.advance(500);
      const { version } = scene.primary.store.get('a')!;

      expect(put.status).toBe('fulfilled');
      expect(scene.of('queued')).toMatchObject([{ version }]);
      scene.primary.fault = undefined;
      await scene.clock.advance(3_000);

      expect(scene.primary.store.get('a')).toEqual({ key: 'a', text: '1', version });
      expect(scene.of('replayed').length).toBe(1);
    },
  );

  it('keeps of each key the last write', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    scene.primary.fault = DOWN;
    for (let i = 1; i <= 3; i++) await data.put('a', i);
    await data.put('b', 1);
    await data.delete('b');

    expect(scene.onDisk()).toEqual({ a: '3', b: undefined });
    scene.primary.fault = undefined;
    await scene.clock.advance(3_000);

    expect(scene.primary.store.get('a')?.text).toBe('3');
    expect(scene.primary.store.get('b')).toMatchObject({ text: undefined });
  });

  it('takes a queued write out when a newer one reaches the primary', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    scene.primary.fault = DOWN;
    await data.put('a', 1);
    scene.primary.fault = undefined;

    await data.put('a', 2);
    await settle();

    expect(data.status().queueLength).toBe(0);
    expect(scene.onDisk()).toEqual({});
    expect(await data.get('a')).toBe(2);
    await scene.clock.advance(10_000);
    expect(scene.primary.store.get('a')?.text).toBe('2');
    expect(scene.of('conflict')).toEqual([]);
  });

  it('keeps a write that came while an older one of its key was replayed', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    scene.primary.fault = DOWN;
    await data.put('a', 1);
    let arrive = (): void => {};
    const until = new Promise<void>((resolve) => (arrive = resolve));
    scene.primary.fault = () => ({ until });
    await scene.clock.advance(150);
    scene.primary.fault = DOWN;
    await data.put('a', 2);

    arrive();
    await settle();

    expect(scene.primary.store.get('a')?.text).toBe('1');
    expect(scene.onDisk()).toEqual({ a: '2' });
    expect(await data.get('a')).toBe(2);
    scene.primary.fault = undefined;
    await scene.clock.advance(3_000);
    expect(scene.primary.store.get('a')?.text).toBe('2');
  });

  it('acknowledges a newer write once the queued one is off the disk, where the next life would read it', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    scene.primary.fault = DOWN;
    await data.put('a', 1);
    scene.primary.fault = undefined;
    let leave = (): void => {};
    const until = new Promise<void>((resolve) => (leave = resolve));
    scene.folder('pending').fault = (operation) => (operation === 'forget' ? { until } : undefined);

    const put = track(data.put('a', 2));
    await settle();
    expect(put.status).toBe('pending');
    leave();
    await settle();

    expect(put.status).toBe('fulfilled');
    expect(scene.onDisk()).toEqual({});
  });

  it('acknowledges a newer write that the primary has, although the disk does not let the queued one go', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    scene.primary.fault = DOWN;
    await data.put('a', 1);
    scene.primary.fault = undefined;
    scene.folder('pending').fault = { error: new Error('disk full') };

    await data.put('a', 2);

    expect(await data.get('a')).toBe(2);
  });

  it('reads a queued key from the queue, until its replay is confirmed', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    await data.put('a', 'old');
    await data.put('b', 'old');
    scene.primary.fault = (operation) => (operation === 'apply' ? DOWN : undefined);

    await data.put('a', 'new');
    await data.delete('b');

    expect(await data.get('a')).toBe('new');
    expect((await data.entry('a'))?.version).toBe(scene.of('queued')[0]?.version);
    expect(await data.get('b')).toBeUndefined();
    scene.primary.fault = undefined;
    await scene.clock.advance(3_000);
    expect(data.status().queueLength).toBe(0);
    expect(await data.get('a')).toBe('new');
    expect(await data.get('b')).toBeUndefined();
  });

  it('says of a delete whether the key was there, and true where nobody can be asked', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    expect(await data.delete('a')).toBe(false);
    scene.primary.fault = DOWN;

    expect(await data.delete('a')).toBe(true);
    expect(await data.delete('a')).toBe(false);
    await data.put('a', 1);
    expect(await data.delete('a')).toBe(true);
  });

  it('puts what the primary refuses for good aside, and goes on with the others', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    scene.primary.fault = DOWN;
    await data.put('bad', 1);
    await data.put('good', 1);
    const refused = new DataRejectedException('value too long');
    scene.primary.fault = (_, key) => (key === 'bad' ? { error: refused } : undefined);

    await scene.clock.advance(3_000);

    expect(scene.primary.store.get('good')?.text).toBe('1');
    expect(scene.onDisk('pending')).toEqual({});
    expect(scene.onDisk('rejected')).toEqual({ bad: '1' });
    expect(scene.of('rejected')).toMatchObject([{ node: 'primary', key: 'bad', error: refused }]);
    scene.primary.fault = undefined;
    expect(await data.get('bad')).toBeUndefined();
  });

  it('rejects a put that the primary refuses for good now', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    scene.primary.fault = { error: new DataRejectedException('value too long') };

    await expect(data.put('a', 1)).rejects.toThrow(explained('value too long'));
    expect(data.status().queueLength).toBe(0);
  });

  it('queues while the primary is read-only', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    scene.primary.fault = (operation) => (operation === 'apply' ? READ_ONLY : undefined);

    await data.put('a', 1);
    expect(data.status()).toMatchObject({ queueLength: 1, nodes: [{ state: 'readOnly' }] });
    scene.primary.fault = undefined;
    await scene.clock.advance(5_000);

    expect(scene.primary.store.get('a')?.text).toBe('1');
  });

  it('loses against a newer write of another process, and tells', async () => {
    const scene = new FailoverScene();
    const [mine, other] = [await scene.openQueued(), await scene.open()];
    scene.primary.fault = DOWN;
    await mine.put('a', 'mine');
    scene.primary.fault = undefined;
    scene.clock.block(10);
    await other.put('a', 'theirs');

    await scene.clock.advance(3_000);

    expect(await mine.get('a')).toBe('theirs');
    const winner = scene.primary.store.get('a')?.version;
    expect(scene.of('conflict')).toMatchObject([{ key: 'a', version: scene.of('queued')[0]?.version, winner }]);
    expect(scene.of('replayed')).toEqual([]);
  });

  it.each([
    [8, {}],
    [3, { concurrency: 3 }],
  ])('replays %d at a time, and one alone after a failure', async (concurrency, options) => {
    const scene = new FailoverScene();
    const before = await scene.openQueued();
    scene.primary.fault = DOWN;
    for (let i = 0; i < 20; i++) await before.put(`k${i}`, i);
    await scene.close(before);
    const applied = (): number => scene.primary.operations.filter((operation) => operation.startsWith('apply')).length;
    const start = applied();
    scene.primary.fault = 'hangs';
    const breaker = { trip: { name: 'never', shouldTrip: () => false } };

    const data = await scene.openQueued({ breaker, queue: { path: '/queue', ...options } });
    await settle();
    expect(applied() - start).toBe(concurrency);
    await scene.clock.advance(499);
    expect(applied() - start).toBe(concurrency);
    await scene.clock.advance(102);
    expect(applied() - start).toBe(concurrency + 1);
    scene.primary.fault = undefined;
    await scene.clock.advance(3_000);

    expect(data.status().queueLength).toBe(0);
    expect(scene.of('replayed').length).toBe(20);
  });

  it('replays what an earlier life has left', async () => {
    const scene = new FailoverScene();
    const before = await scene.openQueued();
    scene.primary.fault = DOWN;
    await before.put('a', 1);
    await before.put('b', 1);
    await before.delete('b');
    await before.close();
    scene.clock.block(60_000);

    const after = await scene.openQueued();
    expect(after.status()).toMatchObject({ queueLength: 2, oldestQueuedMs: 60_000 });
    expect(await after.get('a')).toBe(1);
    expect(await after.get('b')).toBeUndefined();
    scene.primary.fault = undefined;
    await scene.clock.advance(3_000);

    expect(scene.primary.store.get('a')?.text).toBe('1');
    expect(after.status().queueLength).toBe(0);
  });

  it('has a queued write win over an older one after its clock was set back', async () => {
    const scene = new FailoverScene();
    const before = await scene.openQueued();
    await before.put('a', 'before');
    await before.close();
    scene.skew = -3_600_000;
    scene.primary.fault = DOWN;
    const after = await scene.openQueued();
    await after.put('a', 'after');
    scene.primary.fault = undefined;

    await scene.clock.advance(3_000);

    expect(scene.primary.store.get('a')?.text).toBe('"after"');
    expect(scene.of('conflict')).toEqual([]);
  });

  it('goes on above the versions that it finds in the queue', async () => {
    const scene = new FailoverScene();
    const found = { key: 'a', text: '1', version: 'ffff000000000000aaaaaaaaaaaa' };
    scene.folder('pending').store.set('a', found);
    scene.primary.fault = DOWN;
    const data = await scene.openQueued();

    await data.put('a', 2);

    expect(scene.onDisk()).toEqual({ a: '2' });
  });

  it('has versions that are no further ahead than needed after a proper end', async () => {
    const scene = new FailoverScene();
    const before = await scene.openQueued();
    await before.put('a', 1);
    await before.close();
    const after = await scene.openQueued();
    scene.clock.block(5);
    await after.put('a', 2);

    const ahead = Number.parseInt(scene.primary.store.get('a')!.version.slice(0, 12), 16) - scene.clock.wallNow();
    expect(ahead).toBeLessThanOrEqual(0);
  });
});

describe('ifVersion', () => {
  it('is compared by the primary', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    await data.put('a', 1, { ifVersion: null });
    const { version } = (await data.entry('a'))!;
    await data.put('a', 2, { ifVersion: version });

    await expect(data.put('a', 3, { ifVersion: version })).rejects.toThrow(DataConflictException);
    expect(await data.get('a')).toBe(2);
  });

  it('rejects where the primary cannot be asked, and nothing is queued then', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    scene.primary.fault = DOWN;

    await expect(data.put('a', 1, { ifVersion: null })).rejects.toBe(DOWN.error);
    expect(data.status().queueLength).toBe(0);
  });

  it('is compared with the queued version while the primary is down', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    scene.primary.fault = DOWN;
    await data.put('a', 1);
    const { version } = (await data.entry('a'))!;

    await data.put('a', 2, { ifVersion: version });
    await expect(data.put('a', 3, { ifVersion: version })).rejects.toThrow(DataConflictException);
    await data.delete('a');
    await expect(data.put('a', 3, { ifVersion: version })).rejects.toThrow(DataConflictException);
    await data.put('a', 4, { ifVersion: null });

    expect(await data.get('a')).toBe(4);
  });

  it('is compared by the primary with the queued write, once that is there', async () => {
    const scene = new FailoverScene();
    const [data, other] = [await scene.openQueued(), await scene.open()];
    scene.primary.fault = DOWN;
    await data.put('a', 1);
    await data.put('b', 1);
    const [a, b] = [(await data.entry('a'))!, (await data.entry('b'))!];
    scene.primary.fault = undefined;
    scene.clock.block(10);
    await other.put('b', 'theirs');

    await data.put('a', 2, { ifVersion: a.version });
    await expect(data.put('b', 2, { ifVersion: b.version })).rejects.toThrow(DataConflictException);

    expect(await other.get('a')).toBe(2);
    expect(await data.get('b')).toBe('theirs');
    expect(scene.of('conflict').length).toBe(1);
  });

  it('works on a version from a clock that is ahead', async () => {
    const scene = new FailoverScene();
    const data = await scene.open();
    scene.skew = 60_000;
    const ahead = await scene.open();
    await ahead.put('a', 1);

    await data.put('a', 2, { ifVersion: scene.primary.store.get('a')!.version });

    expect(await ahead.get('a')).toBe(2);
  });
});
