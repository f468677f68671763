import { describe, expect, it, onTestFinished } from 'vitest';
import type { Attempt } from '../../../lib/kernel/attempt.js';
import { callOf } from '../../../lib/kernel/call.js';
import { Again, PASS, type Decision } from '../../../lib/kernel/decision.js';
import { Guard } from '../../../lib/kernel/guard.js';
import type { Pipeline } from '../../../lib/kernel/pipeline.js';
import type { Junction, Work } from '../../../lib/kernel/junction.js';
import type { Role } from '../../../lib/kernel/role.js';
import { layered, type Stages } from '../../../lib/pipeline/layers.js';
import { ORDER, type Stage } from '../../../lib/pipeline/order.js';
import { CallRecorder } from '../../support/call-recorder.js';
import { newCall } from '../../support/calls.js';
import { seededRandom } from '../../support/seeded-random.js';
import { errorOf } from '../../support/settle.js';
import { TestEnvironment } from '../../support/test-environment.js';

const environment = new TestEnvironment();
const DECISIONS: readonly Stage[] = ['recover', 'onRefused', 'fallback', 'timeout.total', 'retry'];
const JUNCTIONS: readonly Stage[] = ['coalesce', 'hedge'];
const boom = new Error('boom');

/** Notes when an attempt passes it, on the way in and on the way out. */
class NotingGuard extends Guard {
  constructor(
    private readonly name: Stage,
    private readonly steps: string[],
    private readonly seen: Attempt[],
  ) {
    super();
  }

  admit(attempt: Attempt): undefined {
    this.steps.push(this.name);
    this.seen.push(attempt);
  }

  override settled(): void {
    this.steps.push(`/${this.name}`);
  }
}

/** Policies that note when an attempt passes them, each in the role that it has in an app. Decisions only see the way out. */
function noting(stages: readonly Stage[], steps: string[] = [], seen: Attempt[] = []): Stages {
  const role = (name: Stage): Role => {
    if (DECISIONS.includes(name)) {
      const decision: Decision = { answers: false, failed: () => (steps.push(`/${name}`), PASS) };
      return { decision };
    }
    if (JUNCTIONS.includes(name)) {
      const junction: Junction = {
        run: (attempt, inner) => {
          steps.push(name);
          return inner.start(inner.part(attempt, attempt.number)).finally(() => steps.push(`/${name}`));
        },
      };
      return { junction };
    }
    return { guard: new NotingGuard(name, steps, seen) };
  };
  return Object.fromEntries(stages.map((stage) => [stage, role(stage)]));
}

function run(stages: Stages, work: Work, call = newCall(environment)): Promise<unknown> {
  const pipeline = layered(stages, call.course.target, work);
  call.course = pipeline;
  return pipeline.start(call);
}

describe('layered', () => {
  it('calls the method alone, when there is no policy', async () => {
    const call = newCall(environment);

    const seen = await run({}, (attempt) => Promise.resolve(attempt), call);

    expect(seen).toBe(call);
    expect(call.call).toBeUndefined();
  });

  it('leads a call through every policy in the order of the table, whatever the order of writing', async () => {
    const random = seededRandom(1);
    for (let round = 0; round < 20; round++) {
      const steps: string[] = [];
      const shuffled = [...ORDER].sort(() => random() - 0.5);
      const failing: Work = () => (steps.push('method'), Promise.reject(boom));

      expect(await errorOf(run(noting(shuffled, steps), failing))).toBe(boom);

      const inwards = ORDER.filter((stage) => !DECISIONS.includes(stage));
      expect(steps).toEqual([...inwards, 'method', ...ORDER.map((stage) => `/${stage}`).reverse()]);
    }
  });

  it('leaves out what is not there', async () => {
    const steps: string[] = [];
    const failing: Work = () => (steps.push('method'), Promise.reject(boom));

    await errorOf(run(noting(['bulkhead', 'fallback'], steps), failing));

    expect(steps).toEqual(['bulkhead', 'method', '/bulkhead', '/fallback']);
  });

  it.each(['recover', 'fallback', 'timeout.total'] as const)(
    'cuts an attempt under %s alone: the call must outlive it',
    async (stage) => {
      const seen: Attempt[] = [];
      const first = newCall(environment);
      const call = callOf(first);

      await run(
        noting([stage, 'circuitBreaker'], [], seen),
        async (attempt) => {
          seen.push(attempt);
          attempt.abort('cut');
        },
        first,
      );

      expect(seen).toEqual([first, first]);
      expect([call.aborted, call.signal.aborted, first.aborted, first.attempt]).toEqual([false, false, true, 1]);
    },
  );

  it('makes no call beside the attempt, where nothing must outlive it', async () => {
    const seen: Attempt[] = [];
    const call = newCall(environment);

    await run(
      noting(['circuitBreaker', 'timeout.perAttempt', 'bulkhead'], [], seen),
      async (attempt) => void seen.push(attempt),
      call,
    );

    expect(new Set(seen)).toEqual(new Set([call]));
    expect(call.call).toBeUndefined();
  });

  it('tells of each attempt of an observed call once, also below a junction', async () => {
    const recorder = new CallRecorder();
    onTestFinished(environment.events.watchCalls(recorder));
    const call = newCall(environment);
    const junction: Junction = {
      run: (attempt, inner) => Promise.all([1, 2].map((number) => inner.start(inner.part(attempt, number)))),
    };
    const stages = { ...noting(['recover', 'bulkhead']), hedge: { junction } };
    const observed = { events: environment.events, kind: 'promise' } as const;
    const pipeline = layered(stages, call.course.target, () => Promise.resolve('value'), {}, observed);
    call.course = pipeline;

    await pipeline.start(call);

    expect(recorder.told.toSorted()).toEqual([
      'attempt 1 begun',
      'attempt 1 success',
      'attempt 2 begun',
      'attempt 2 success',
      'begun',
      'ended success',
    ]);
  });

  it('leaves the attempts to a retry', async () => {
    const calls: Attempt[] = [];
    const once = new Again(
      0,
      () => undefined,
      () => boom,
    );
    const retry: Decision = { answers: false, failed: ({ made }) => (made === 1 ? once : PASS) };

    await errorOf(
      run({ ...noting(['fallback']), retry: { decision: retry } }, (attempt) => {
        calls.push(attempt);
        return Promise.reject(boom);
      }),
    );

    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('begins another pipeline at a junction, and only the innermost may end an attempt early', async () => {
    const wholes: Attempt[] = [];
    const inners: Pipeline[] = [];
    const junction: Junction = {
      run: (attempt, inner) => {
        wholes.push(attempt);
        inners.push(inner as Pipeline);
        return inner.start(inner.part(attempt, 1));
      },
    };
    const first = newCall(environment, { outer: newCall(environment) });
    const stages: Stages = { coalesce: { junction }, hedge: { junction } };
    let innermost: Attempt | undefined;

    const pipeline = layered(stages, first.course.target, async (attempt) => void (innermost = attempt), {
      endsEarly: true,
    });
    await pipeline.start(first);

    expect([pipeline, ...inners].map(({ isJunction }) => isJunction)).toEqual([true, true, false]);
    expect([...wholes, innermost].map((attempt) => attempt?.bounded)).toEqual([false, false, true]);
    expect(innermost?.around).toBe(wholes[1]);
    expect(wholes[1]?.around).toBe(wholes[0]);
  });
});
