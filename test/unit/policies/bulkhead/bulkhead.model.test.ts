import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../../lib/kernel/attempt.js';
import type { Work } from '../../../../lib/kernel/junction.js';
import { BULKHEAD_DEFAULTS } from '../../../../lib/policies/bulkhead/bulkhead.options.js';
import { BulkheadGuard } from '../../../../lib/policies/bulkhead/bulkhead.guard.js';
import { execute, ManualWork, newCall } from '../../../support/calls.js';
import { runs } from '../../../support/runs.js';
import { pick, seededRandom } from '../../../support/seeded-random.js';
import { settle, track, type Tracked } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

/** Never at the same moment as the end of a wait: there either may come first. */
const ABANDON_AFTER = 505;
const MAX_WAIT = 300;

interface ModelledCall {
  readonly call: Attempt;
  readonly result: Tracked;
  readonly madeAt: number;
  readonly priority: number;
  state: 'waiting' | 'running' | 'ended';
  /** Its place among the calls that have begun. */
  begun: number;
  cutAt: number | undefined;
}

/** A bulkhead as one would write it without caring for speed. */
class Model {
  readonly calls: ModelledCall[] = [];
  begun = 0;

  constructor(
    readonly maxConcurrent: number,
    readonly maxQueue: number,
  ) {}

  in(state: ModelledCall['state']): ModelledCall[] {
    return this.calls.filter((one) => one.state === state);
  }

  /** Those who wait, in their turn. */
  get line(): ModelledCall[] {
    return this.in('waiting').sort((one, other) => other.priority - one.priority);
  }

  arrive(call: Attempt, result: Tracked, madeAt: number, priority: number): void {
    const runs = this.in('running').length < this.maxConcurrent && this.in('waiting').length === 0;
    const last = this.line.at(-1);
    const full = !runs && this.in('waiting').length >= this.maxQueue;
    const displaces = full && last !== undefined && last.priority < priority;
    if (displaces) last.state = 'ended';
    const state = full && !displaces ? 'ended' : 'waiting';
    this.calls.push({ call, result, madeAt, priority, state, begun: -1, cutAt: undefined });
    this.moveUp();
  }

  moveUp(): void {
    for (const next of this.line) {
      if (this.in('running').length >= this.maxConcurrent) return;
      next.state = 'running';
      next.begun = this.begun++;
    }
  }

  /** What time alone ends. */
  pass(now: number): void {
    for (const one of this.in('waiting')) if (now >= one.madeAt + MAX_WAIT) one.state = 'ended';
    for (const one of this.in('running')) {
      if (one.cutAt !== undefined && now >= one.cutAt + ABANDON_AFTER) one.state = 'ended';
    }
    this.moveUp();
  }
}

async function walk(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const environment = new TestEnvironment();
  const { clock } = environment;
  const model = new Model(1 + pick(random, 4), pick(random, 6));
  const { maxConcurrent, maxQueue } = model;
  const options = { ...BULKHEAD_DEFAULTS, maxConcurrent, maxQueue, maxWait: MAX_WAIT, abandonAfter: ABANDON_AFTER };
  const levels = 1 + pick(random, 4);
  const priority = ({ args }: { args: readonly unknown[] }): number => args[0] as number;
  const bulkhead = new BulkheadGuard('model', { ...options, priority }, environment);
  const work = new ManualWork();
  const oneOf = (calls: ModelledCall[]): ModelledCall | undefined => calls[pick(random, calls.length)];

  for (let step = 0; step < 200; step++) {
    const chance = random();
    if (chance < 0.45) {
      const important = pick(random, levels);
      const call = newCall(environment, { args: [important], outer: newCall(environment) });
      // Estimated waits are another test's concern: all work has begun as it ends, and has no run time.
      const unseen: Work = (inner) => work.run(inner).finally(() => (call.rarely().begunAt = environment.clock.now()));
      const result = track(execute(bulkhead, call, unseen, { endsEarly: true }));
      model.arrive(call, result, clock.now(), important);
    } else if (chance < 0.7) {
      const ended = oneOf(model.in('running'));
      if (ended !== undefined) {
        const how = random() < 0.5 ? 'succeed' : 'fail';
        work[how](ended.begun);
        ended.state = 'ended';
        await settle();
        model.moveUp();
      }
    } else if (chance < 0.85) {
      const cut = oneOf([...model.in('running'), ...model.in('waiting')]);
      if (cut !== undefined && cut.cutAt === undefined) {
        cut.cutAt = clock.now();
        cut.call.abort('gone');
        if (cut.state === 'waiting') cut.state = 'ended';
      }
    } else {
      // In small steps, so that what time ends ends in the model in the same order.
      for (let passed = pick(random, 30); passed > 0; passed--) {
        for (let half = 0; half < 2; half++) {
          await clock.advance(5);
          model.pass(clock.now());
        }
      }
    }
    await settle();
    expect([seed, step, bulkhead.active, bulkhead.waiting, work.begun]).toEqual([
      seed,
      step,
      model.in('running').length,
      model.in('waiting').length,
      model.begun,
    ]);
  }
  const order = model.calls.filter(({ begun }) => begun >= 0).sort((a, b) => a.begun - b.begun);
  expect(work.calls.map((call) => model.calls.findIndex((one) => one.call === call))).toEqual(
    order.map((one) => model.calls.indexOf(one)),
  );
  for (const { begun, result } of model.calls) {
    if (begun < 0 && result.status === 'fulfilled') throw new Error('a call that never began gave a value');
  }
}

describe('BulkheadGuard, against a model', () => {
  it.each(Array.from({ length: runs(12, 200) }, (_, index) => index + 1))(
    'runs, queues and ends the same calls in the same order, seed %i',
    async (seed) => {
      await walk(seed);
    },
  );
});
