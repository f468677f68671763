import { describe, expect, it } from 'vitest';
import { ResilienceConfigurationError } from 'nestjs-bulwark';
import {
  DataService,
  failoverData,
  FailoverDataService,
  fileData,
  type FailoverDataOptions,
} from '../../../../lib/data/index.js';
import { FailoverScene } from '../../../support/failover-scene.js';
import { DOWN, MemoryDataService } from '../../../support/memory-data.service.js';
import { errorOf, thrownBy } from '../../../support/settle.js';

const node = new MemoryDataService();

abstract class Plain extends DataService {}
const plain = Object.create(Plain.prototype) as Plain;

describe('failoverData', () => {
  it('is a recipe for a FailoverDataService', async () => {
    const recipe = failoverData({ primary: node });

    const data: unknown = await (recipe.useFactory as () => Promise<unknown>)();

    expect(data).toBeInstanceOf(FailoverDataService);
    await (data as FailoverDataService).close();
  });

  it.each<[string, unknown, string]>([
    ['no options', undefined, 'its options are undefined'],
    ['no primary', {}, "option 'primary' is undefined; expected a recipe or a ReplicableDataService"],
    ['an unknown option', { primary: node, quorum: 2 }, "unknown option 'quorum'"],
    ['a recipe with useClass', { primary: { useClass: MemoryDataService } }, 'useClass or useExisting; expected'],
    ['a recipe with inject', { primary: { useFactory: () => node, inject: ['x'] } }, "a recipe with 'inject'"],
    ['a plain service', { primary: plain }, "option 'primary' is a Plain; expected"],
    ['a plain value', { primary: { useValue: plain } }, 'a service whose class extends ReplicableDataService'],
    ['standbys that are no list', { primary: node, standbys: {} }, "option 'standbys'"],
    ['a standby of no kind', { primary: node, standbys: [{}] }, "standbys[0]: expected one of 'replica' and 'mirror'"],
    [
      'a standby of both kinds',
      { primary: node, standbys: [{ replica: node, mirror: node }] },
      "standbys[0]: expected one of 'replica' and 'mirror'",
    ],
    ['a standby that is none', { primary: node, standbys: [{ replica: 5 }] }, 'standbys[0].replica is 5'],
    [
      'no room for a mirror',
      { primary: node, standbys: [{ mirror: node, maxPendingBytes: 0 }] },
      "standbys[0]: option 'maxPendingBytes' is 0; expected a whole number of at least 1",
    ],
    [
      'room for a replica',
      { primary: node, standbys: [{ replica: node, maxPendingBytes: 1 }] },
      "option 'maxPendingBytes' belongs to a mirror",
    ],
    ['unknown reads', { primary: node, reads: 'any' }, 'option \'reads\' is "any"'],
    ['a staleness of 0', { primary: node, reads: { maxStaleness: 0 } }, "option 'reads'"],
    ['a fallback to nothing', { primary: node, reads: 'fallback' }, 'expected at least one standby'],
    [
      'a staleness that nothing has',
      { primary: node, standbys: [{ mirror: node }], reads: { maxStaleness: 1_000 } },
      'expected at least one replica',
    ],
    ['unknown writes', { primary: node, writes: 'drop' }, "option 'writes' is \"drop\"; expected 'reject' or 'queue'"],
    ['a queue nowhere', { primary: node, writes: 'queue' }, 'expected queue: { path } beside it'],
    ['a queue that is not used', { primary: node, queue: { path: '/q' } }, "expected writes: 'queue' beside it"],
    ['a queue without a path', { primary: node, writes: 'queue', queue: {} }, "queue: option 'path' is undefined"],
    [
      'no replay',
      { primary: node, writes: 'queue', queue: { path: '/q', concurrency: 0 } },
      "queue: option 'concurrency' is 0; expected a whole number of at least 1",
    ],
    ['a timeout of 0', { primary: node, timeout: 0 }, "option 'timeout' is 0; expected a number of milliseconds"],
    ['no age of tombstones', { primary: node, tombstones: 0 }, "option 'tombstones' is 0; expected"],
    ['a breaker that is none', { primary: node, breaker: { trip: 5 } }, "breaker: option 'trip'"],
    ['other breaker options', { primary: node, breaker: { timeout: 5 } }, "breaker: unknown option 'timeout'"],
  ])('refuses %s', (_, options, problem) => {
    const error = thrownBy(() => failoverData(options as FailoverDataOptions));

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    expect(error.message).toContain('failoverData');
    expect(error.message).toContain(problem);
  });

  it('is checked by the compiler: a queue needs its folder', () => {
    // @ts-expect-error -- no folder
    expect(() => failoverData({ primary: node, writes: 'queue' })).toThrow('path');
    // @ts-expect-error -- nothing is queued
    expect(() => failoverData({ primary: node, queue: { path: '/q' } })).toThrow('queue');
    // @ts-expect-error -- a class with dependencies cannot be made here
    expect(() => failoverData({ primary: { useClass: MemoryDataService } })).toThrow('useClass');
  });

  it('refuses at the start what a recipe gives that is no ReplicableDataService, and closes the others', async () => {
    const scene = new FailoverScene();
    const standby = new MemoryDataService();
    const standbys = [{ replica: { useFactory: () => standby } }];

    const error = await errorOf(scene.open({ primary: { useFactory: () => plain }, standbys }));

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    expect(error.message).toContain("option 'primary' is a Plain; expected fileData(), databaseData()");
    expect(standby.closed).toBe(true);
    expect(scene.clock.pending).toBe(0);
  });

  it('does not start where opening a node fails for another reason than that it is unavailable', async () => {
    const scene = new FailoverScene();
    const primary = { useFactory: () => Promise.reject(new Error('package missing')) };

    await expect(scene.open({ primary })).rejects.toThrow('package missing');
  });

  it('takes recipes of the package', () => {
    expect(() => failoverData({ primary: fileData({ path: './data' }) })).not.toThrow();
  });
});

describe('close', () => {
  it('closes what it has opened, and nothing else, and leaves no timer', async () => {
    const scene = new FailoverScene();
    const [own, mirror, given] = [new MemoryDataService(), new MemoryDataService(), new MemoryDataService()];
    const standbys = [{ mirror: { useFactory: () => mirror } }, { replica: given }];
    const data = await scene.openQueued({
      primary: { useFactory: () => own },
      standbys,
      reads: { maxStaleness: 1_000 },
    });
    await data.put('a', 1);
    given.fault = mirror.fault = DOWN;
    own.fault = DOWN;
    for (let i = 0; i < 10; i++) await data.put(`k${i}`, i);
    let isOver = false;
    data.events$.subscribe({ complete: () => (isOver = true) });

    await data.close();

    expect([own.closed, mirror.closed, given.closed]).toEqual([true, true, false]);
    expect([scene.folder('pending').closed, scene.folder('rejected').closed]).toEqual([true, true]);
    expect(Object.keys(scene.onDisk()).length).toBe(10);
    expect(isOver).toBe(true);
    expect(scene.clock.pending).toBe(0);
  });

  it('keeps no process alive while the primary is down', async () => {
    const scene = new FailoverScene();
    const replica = new MemoryDataService();
    const data = await scene.openQueued({ standbys: [{ replica }], reads: { maxStaleness: 1_000 } });
    scene.primary.fault = DOWN;
    await data.put('a', 1);
    await scene.clock.advance(5_000);

    expect(scene.clock.keepingAlive).toBe(0);
  });

  it('waits for a replay that runs', async () => {
    const scene = new FailoverScene();
    const primary = new MemoryDataService();
    const data = await scene.openQueued({ primary: { useFactory: () => primary } });
    primary.fault = DOWN;
    await data.put('a', 1);
    primary.fault = 'hangs';
    await scene.clock.advance(150);

    const closed = data.close();
    await scene.clock.advance(400);
    expect(primary.closed).toBe(false);
    await scene.clock.advance(200);
    await closed;

    expect(primary.closed).toBe(true);
    expect(scene.onDisk()).toEqual({ a: '1' });
  });
});

describe('ping', () => {
  it('asks the primary', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    await data.ping();
    scene.primary.fault = DOWN;

    await expect(data.ping()).rejects.toBe(DOWN.error);
  });
});
