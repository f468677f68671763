import { describe, expect, it } from 'vitest';
import { compose, type Stages } from '../../../lib/pipeline/compose.js';
import { ORDER, type Stage } from '../../../lib/pipeline/order.js';
import type { Call } from '../../../lib/kernel/call.js';
import type { Policy } from '../../../lib/kernel/policy.js';
import { newCall } from '../../support/calls.js';
import { seededRandom } from '../../support/seeded-random.js';
import { TestEnvironment } from '../../support/test-environment.js';

const environment = new TestEnvironment();

/** Policies that note when the call passes them, and that pass it on as it is. */
function noting(stages: readonly Stage[], steps: string[] = [], calls: Call[] = []): Stages {
  const note = (stage: Stage): Policy => ({
    execute: async (call, next) => {
      steps.push(stage);
      calls.push(call);
      const value = await next(call);
      steps.push(`/${stage}`);
      return value;
    },
  });
  return Object.fromEntries(stages.map((stage) => [stage, note(stage)]));
}

describe('compose', () => {
  it('calls the method alone, when there is no policy', async () => {
    const call = newCall(environment);

    const seen = await compose({}, (inner) => Promise.resolve(inner))(call);

    expect(seen).toBe(call);
  });

  it('leads a call through every policy in the order of the table, whatever the order of writing', async () => {
    const random = seededRandom(1);
    for (let round = 0; round < 20; round++) {
      const steps: string[] = [];
      const shuffled = [...ORDER].sort(() => random() - 0.5);

      await compose(noting(shuffled, steps), async () => void steps.push('method'))(newCall(environment));

      expect(steps).toEqual([...ORDER, 'method', ...ORDER.map((stage) => `/${stage}`).reverse()]);
    }
  });

  it('leaves out what is not there', async () => {
    const steps: string[] = [];

    await compose(noting(['bulkhead', 'fallback'], steps), async () => void steps.push('method'))(newCall(environment));

    expect(steps).toEqual(['fallback', 'bulkhead', 'method', '/bulkhead', '/fallback']);
  });

  it.each(['recover', 'fallback', 'timeout.total'] as const)(
    'gives the attempt a call of its own under %s, which must outlive it',
    async (stage) => {
      const calls: Call[] = [];
      const call = newCall(environment);

      await compose(noting([stage, 'circuitBreaker'], [], calls), async (attempt) => {
        calls.push(attempt);
        attempt.abort('cut');
      })(call);

      expect(calls.map((one) => one === call)).toEqual([true, false, false]);
      expect(calls[1]).toBe(calls[2]);
      expect([call.aborted, calls[2]?.aborted, calls[2]?.attempt]).toEqual([false, true, 1]);
    },
  );

  it('uses the call itself as the attempt, where nothing must outlive it', async () => {
    const calls: Call[] = [];
    const call = newCall(environment);

    await compose(noting(['circuitBreaker', 'timeout.perAttempt', 'bulkhead'], [], calls), async (attempt) => {
      calls.push(attempt);
    })(call);

    expect(new Set(calls)).toEqual(new Set([call]));
  });

  it('leaves the attempts to a retry', async () => {
    const calls: Call[] = [];
    const call = newCall(environment);
    const retry: Policy = { execute: (outer, next) => next(outer.fork(1)).then(() => next(outer.fork(2))) };

    await compose({ ...noting(['fallback']), retry }, async (attempt) => void calls.push(attempt))(call);

    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });
});
