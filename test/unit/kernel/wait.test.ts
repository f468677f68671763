import { describe, expect, it } from 'vitest';
import type { PipelineCall } from '../../../lib/pipeline/call.js';
import { BULKHEAD_DEFAULTS } from '../../../lib/policies/bulkhead/bulkhead.options.js';
import { BulkheadPolicy } from '../../../lib/policies/bulkhead/bulkhead.policy.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { CircuitBreakerPolicy } from '../../../lib/policies/circuit-breaker/circuit-breaker.policy.js';
import { resolveRateLimit } from '../../../lib/policies/rate-limit/rate-limit.options.js';
import { RateLimitPolicy } from '../../../lib/policies/rate-limit/rate-limit.policy.js';
import { RateLimiter } from '../../../lib/policies/rate-limit/rate-limiter.js';
import { pause } from '../../../lib/policies/retry/pause.js';
import { ManualWork, newCall } from '../../support/calls.js';
import { settle, track, type Tracked } from '../../support/settle.js';
import { Lifecycle, type Waiter } from '../../../lib/kernel/policy.js';
import { TestEnvironment } from '../../support/test-environment.js';

type Callback = () => void;

/** Every wait of the library, begun by a call that calls `during` back while it is admitted. */
const WAITS: Record<string, (environment: TestEnvironment, call: PipelineCall, during: Callback) => Promise<unknown>> =
  {
    'for a slot': (environment, call, during) => {
      // The first call has a slot, and is not asked.
      const priority = (): number => (during(), 0);
      const options = { ...BULKHEAD_DEFAULTS, maxConcurrent: 1, maxQueue: 5, priority };
      const bulkhead = new BulkheadPolicy('jobs', options, environment);
      const work = new ManualWork();
      track(bulkhead.execute(newCall(environment), work.next));
      return bulkhead.execute(call, work.next);
    },
    'for a place in a full queue': (environment, call, during) => {
      const priority = ({ args }: { args: readonly unknown[] }): number => args.length;
      const options = { ...BULKHEAD_DEFAULTS, maxConcurrent: 1, maxQueue: 1, priority };
      const bulkhead = new BulkheadPolicy('jobs', options, environment);
      const work = new ManualWork();
      for (let made = 0; made < 2; made++) track(bulkhead.execute(newCall(environment), work.next));
      Object.defineProperty(call, 'args', { value: ['important'] });
      environment.events.subscribe(during);
      return bulkhead.execute(call, work.next);
    },
    'for a turn, with a cost': (environment, call, during) =>
      limited(environment, call, { cost: (of: string) => (of === 'second' && during(), 1) }),
    'for a turn, with a key': (environment, call, during) =>
      limited(environment, call, { key: (of: string) => (of === 'second' && during(), 'a') }),
    'for the next attempt': (environment, call, during) => {
      during();
      return pause(1_000, call, environment, () => new Error('shut down'));
    },
  };

function limited(environment: TestEnvironment, call: PipelineCall, options: object): Promise<unknown> {
  const resolved = resolveRateLimit('jobs', { limit: 1, per: 1_000, onLimit: 'queue', ...options });
  const policy = new RateLimitPolicy(new RateLimiter('jobs', resolved, environment));
  const work = new ManualWork();
  track(policy.execute(newCall(environment, { args: ['first'] }), work.next));
  Object.defineProperty(call, 'args', { value: ['second'] });
  return policy.execute(call, work.next);
}

/** Lets a call begin to wait, and `act` when it is asked about. */
async function begin(name: string, act: (environment: TestEnvironment, call: PipelineCall) => void) {
  const environment = new TestEnvironment();
  const lifecycle = new CountedLifecycle();
  Object.defineProperty(environment, 'lifecycle', { value: lifecycle });
  const call = newCall(environment);
  let asked = false;
  const result: Tracked = track(
    (WAITS[name] as (typeof WAITS)[string])(environment, call, () => {
      // What the act itself brings about asks again.
      if (asked) return;
      asked = true;
      act(environment, call);
    }),
  );
  await settle();
  return { environment, call, result, lifecycle };
}

/** Knows who waits. */
class CountedLifecycle extends Lifecycle {
  readonly known = new Set<Waiter>();

  override add(waiter: Waiter): void {
    this.known.add(waiter);
    super.add(waiter);
  }

  override remove(waiter: Waiter): void {
    this.known.delete(waiter);
    super.remove(waiter);
  }
}

describe.each(Object.keys(WAITS))('a wait %s', (name) => {
  it('ends with the reason and is known to nobody any more, when the call is aborted while it begins', async () => {
    const { environment, result, lifecycle } = await begin(name, (_, call) => call.abort('gone'));

    expect(result).toEqual({ status: 'rejected', outcome: 'gone' });
    expect(lifecycle.known.size).toBe(0);
    expect(environment.clock.keepingAlive).toBe(0);
  });

  it('ends and is known to nobody any more, when the app closes while it begins', async () => {
    const { environment, result, lifecycle } = await begin(name, (scene) => scene.lifecycle.close());

    expect(result.status).toBe('rejected');
    expect(lifecycle.known.size).toBe(0);
    expect(environment.clock.keepingAlive).toBe(0);
  });
});

describe('a call that begins to wait', () => {
  it('ends with CircuitOpenException, when its breaker has tripped since it let the call in', async () => {
    const environment = new TestEnvironment();
    const breaker = new CircuitBreakerPolicy('jobs', CIRCUIT_BREAKER_DEFAULTS, environment);
    const priority = (): number => (breaker.breaker()?.forceOpen(), 0);
    const options = { ...BULKHEAD_DEFAULTS, maxConcurrent: 1, maxQueue: 5, priority };
    const bulkhead = new BulkheadPolicy('jobs', options, environment);
    const work = new ManualWork();
    const run = (): Promise<unknown> =>
      breaker.execute(newCall(environment), (call) => bulkhead.execute(call, work.next));
    track(run());

    const result = track(run());
    await settle();

    expect(result.outcome).toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect([bulkhead.waiting, work.begun]).toEqual([0, 1]);
  });
});
