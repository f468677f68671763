import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataUnavailableException, type FailoverDataService } from '../../../../lib/data/index.js';
import { FailoverScene } from '../../../support/failover-scene.js';
import { MemoryDataService, type MemoryFault } from '../../../support/memory-data.service.js';
import { seededRandom } from '../../../support/seeded-random.js';
import { settle } from '../../../support/settle.js';
import { runs } from '../../../support/runs.js';

const LOST = new DataUnavailableException('connection reset');
const FAULTS: (MemoryFault | undefined)[] = [
  undefined,
  undefined,
  { error: LOST },
  { answerLost: LOST },
  'hangs',
  'answerHangs',
];

/** A write that arrives at the primary long after it was given up. */
interface Late {
  deliver(): Promise<unknown>;
}

/** A primary that fails in every way, and to which what was sent may arrive late and twice. */
class UnreliableService extends MemoryDataService {
  readonly late: Late[] = [];

  constructor(
    private readonly random: () => number,
    wallClock: () => number,
  ) {
    super(wallClock);
  }

  override apply: MemoryDataService['apply'] = (write, options) => {
    if (this.random() < 0.3 && options?.ifVersion === undefined) {
      this.late.push({ deliver: () => MemoryDataService.prototype.apply.call(this, write) });
    }
    return MemoryDataService.prototype.apply.call(this, write, options);
  };
}

type Step =
  | { readonly type: 'put' | 'delete'; readonly process: number; readonly key: string }
  | { readonly type: 'fault'; readonly fault: number }
  | { readonly type: 'late' }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'restart'; readonly process: number; readonly skew: number };

const process = fc.constantFrom(0, 1);
const key = fc.constantFrom('a', 'b');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('put' as const), process, key }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), process, key }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('fault' as const), fault: fc.nat(FAULTS.length - 1) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('late' as const) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.nat(3_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('restart' as const),
      process,
      skew: fc.integer({ min: -5_000, max: 5_000 }),
    }),
  },
);

/** Two processes, each with a queue and keys of its own, in front of one unreliable primary. */
async function run(steps: readonly Step[], seed: number): Promise<void> {
  const scene = new FailoverScene();
  const primary = new UnreliableService(seededRandom(seed), () => scene.clock.wallNow());
  const open = (index: number): Promise<FailoverDataService> =>
    scene.openQueued({ primary, queue: { path: `/queue${index}` } });
  const processes = [await open(0), await open(1)];
  /** What each key must be in the end: the text of the last acknowledged write. */
  const expected = new Map<string, number | undefined>();
  let count = 0;

  for (const action of steps) {
    switch (action.type) {
      case 'put':
      case 'delete': {
        const data = processes[action.process]!;
        const own = `${action.process}/${action.key}`;
        const value = ++count;
        const done = action.type === 'put' ? data.put(own, value) : data.delete(own);
        await scene.clock.advance(1_100);
        await done;
        expected.set(own, action.type === 'put' ? value : undefined);
        break;
      }
      case 'fault':
        primary.fault = FAULTS[action.fault];
        break;
      case 'late':
        await Promise.race([
          primary.late
            .shift()
            ?.deliver()
            .catch(() => undefined),
          settle(),
        ]);
        break;
      case 'wait':
        await scene.clock.advance(action.ms);
        break;
      case 'restart':
        await scene.close(processes[action.process]!);
        scene.skew = action.skew;
        processes[action.process] = await open(action.process);
    }
    for (const [index, data] of processes.entries()) {
      // What a process has written it also reads, as long as it can be read at all.
      for (const [own, value] of expected) {
        if (!own.startsWith(`${index}/`)) continue;
        const read = data.get(own).catch(() => value);
        await scene.clock.advance(500);
        expect(await read).toBe(value);
      }
    }
  }

  primary.fault = undefined;
  await scene.clock.advance(20_000);
  for (const { deliver } of primary.late) await deliver();
  for (const data of processes) expect(data.status().queueLength).toBe(0);
  for (const [own, value] of expected) {
    expect(primary.store.get(own)?.text).toBe(value === undefined ? undefined : String(value));
  }
  expect(scene.of('conflict')).toEqual([]);
  for (const data of processes) await scene.close(data);
}

describe('failoverData, whatever happens', () => {
  it('has after all faults the last acknowledged write of each key, and no late or repeated one undoes it', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.nat(), run), { numRuns: runs(100, 1_000) });
  }, 60_000);

  it('has two processes that write one key agree in the end, on a write that was acknowledged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.nat(), async (steps, seed) => {
        const scene = new FailoverScene();
        const primary = new UnreliableService(seededRandom(seed), () => scene.clock.wallNow());
        const open = (index: number): Promise<FailoverDataService> =>
          scene.openQueued({ primary, queue: { path: `/queue${index}` } });
        const processes = [await open(0), await open(1)];
        const values = new Set<string>();
        let count = 0;
        for (const action of steps) {
          if (action.type === 'fault') primary.fault = FAULTS[action.fault];
          if (action.type === 'wait') await scene.clock.advance(action.ms);
          if (action.type !== 'put') continue;
          const done = processes[action.process]!.put('shared', ++count);
          values.add(String(count));
          await scene.clock.advance(1_100);
          await done;
        }
        primary.fault = undefined;
        await scene.clock.advance(20_000);
        const before = primary.store.get('shared');
        for (const { deliver } of primary.late) await deliver();

        expect(primary.store.get('shared')).toEqual(before);
        if (values.size > 0) expect(values).toContain(before?.text);
        const [first, second] = await Promise.all(processes.map((data) => data.get('shared')));
        expect(first).toBe(second);
        const known = scene.events.flatMap((event) => ('version' in event ? [event.version] : []));
        for (const { winner } of scene.of('conflict')) expect(typeof winner).toBe('string');
        expect(known.length).toBe(scene.events.filter((event) => 'version' in event).length);
        for (const data of processes) await scene.close(data);
      }),
      { numRuns: runs(50, 300) },
    );
  }, 60_000);
});
