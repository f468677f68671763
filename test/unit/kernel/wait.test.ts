import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../lib/kernel/attempt.js';
import { callOf } from '../../../lib/kernel/call.js';
import { pause } from '../../../lib/kernel/pause.js';
import { Lifecycle, type Waiter } from '../../../lib/kernel/policy.js';
import { BulkheadGuard } from '../../../lib/policies/bulkhead/bulkhead.guard.js';
import { BULKHEAD_DEFAULTS } from '../../../lib/policies/bulkhead/bulkhead.options.js';
import { CircuitBreakerGuard } from '../../../lib/policies/circuit-breaker/circuit-breaker.guard.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { NamedBreakers } from '../../../lib/policies/circuit-breaker/named-breakers.js';
import { RateLimitGuard } from '../../../lib/policies/rate-limit/rate-limit.guard.js';
import { resolveRateLimit } from '../../../lib/policies/rate-limit/rate-limit.options.js';
import { RateLimiter } from '../../../lib/policies/rate-limit/rate-limiter.js';
import { execute, guarded, ManualWork, newCall } from '../../support/calls.js';
import { Gate } from '../../support/guards.js';
import { settle, track, type Tracked } from '../../support/settle.js';
import { TestEnvironment } from '../../support/test-environment.js';

type Callback = () => void;

/** Every wait of the library, begun by a call that calls `during` back while it is admitted. */
const WAITS: Record<string, (environment: TestEnvironment, call: Attempt, during: Callback) => Promise<unknown>> = {
  'for a slot': (environment, call, during) => {
    // The first call has a slot, and is not asked.
    const priority = (): number => (during(), 0);
    const options = { ...BULKHEAD_DEFAULTS, maxConcurrent: 1, maxQueue: 5, priority };
    const bulkhead = new BulkheadGuard('jobs', options, environment);
    const work = new ManualWork();
    track(execute(bulkhead, newCall(environment), work.run));
    return execute(bulkhead, call, work.run);
  },
  'for a place in a full queue': (environment, call, during) => {
    const priority = ({ args }: { args: readonly unknown[] }): number => args.length;
    const options = { ...BULKHEAD_DEFAULTS, maxConcurrent: 1, maxQueue: 1, priority };
    const bulkhead = new BulkheadGuard('jobs', options, environment);
    const work = new ManualWork();
    for (let made = 0; made < 2; made++) track(execute(bulkhead, newCall(environment), work.run));
    Object.defineProperty(call, 'args', { value: ['important'] });
    environment.events.subscribe(during);
    return execute(bulkhead, call, work.run);
  },
  'for a turn, with a cost': (environment, call, during) =>
    limited(environment, call, { cost: (of: string) => (of === 'second' && during(), 1) }),
  'for a turn, with a key': (environment, call, during) =>
    limited(environment, call, { key: (of: string) => (of === 'second' && during(), 'a') }),
  'for the next attempt': (_, attempt, during) => {
    during();
    const call = callOf(attempt);
    return pause(call, 1_000, attempt.course.target, () => new Error('shut down'));
  },
};

function limited(environment: TestEnvironment, call: Attempt, options: object): Promise<unknown> {
  const resolved = resolveRateLimit('jobs', { limit: 1, per: 1_000, onLimit: 'queue', ...options });
  const guard = new RateLimitGuard(new RateLimiter('jobs', resolved, environment));
  const work = new ManualWork();
  track(execute(guard, newCall(environment, { args: ['first'] }), work.run));
  Object.defineProperty(call, 'args', { value: ['second'] });
  return execute(guard, call, work.run);
}

/** Lets a call begin to wait, and `act` when it is asked about. */
async function begin(name: string, act: (environment: TestEnvironment, call: Attempt) => void) {
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
    const { environment, result, lifecycle } = await begin(name, (_, call) => callOf(call).abort('gone'));

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
    const breakers = new NamedBreakers('jobs', CIRCUIT_BREAKER_DEFAULTS, environment);
    const priority = (): number => (breakers.breaker()?.forceOpen(), 0);
    const options = { ...BULKHEAD_DEFAULTS, maxConcurrent: 1, maxQueue: 5, priority };
    const bulkhead = new BulkheadGuard('jobs', options, environment);
    const work = new ManualWork();
    const policies = { circuitBreaker: new CircuitBreakerGuard(breakers), bulkhead };
    const run = (): Promise<unknown> => guarded(policies, work.run)(newCall(environment));
    track(run());

    const result = track(run());
    await settle();

    expect(result.outcome).toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect([bulkhead.waiting, work.begun]).toEqual([0, 1]);
  });
});

describe('an attempt whose turn has come', () => {
  /** An attempt at a gate. */
  async function waiting() {
    const environment = new TestEnvironment();
    const lifecycle = new CountedLifecycle();
    Object.defineProperty(environment, 'lifecycle', { value: lifecycle });
    const gate = new Gate();
    const work = new ManualWork();
    const call = newCall(environment);
    const room = new Set<Attempt>();
    call.breaker = { enter: (one) => void room.add(one), leave: (one) => void room.delete(one) };
    const result = track(execute(gate, call, work.run));
    await settle();
    return { environment, lifecycle, gate, work, call, room, result };
  }

  it('is known to all that could end its wait until it goes on', async () => {
    const { lifecycle, gate, work, call, room } = await waiting();
    gate.open();

    expect([work.begun, [...room], lifecycle.known.size]).toEqual([0, [call], 1]);
    await settle();

    expect([work.begun, room.size, lifecycle.known.size]).toEqual([1, 0, 0]);
  });

  it.each([
    ['its caller leaves', ({ call }: Waiting) => call.abort('gone'), 'gone'],
    ['the app closes', ({ environment }: Waiting) => environment.lifecycle.close(), new Error('shut down')],
  ])('passes it on, when %s before it goes on', async (_, cut, reason) => {
    const scene = await waiting();
    scene.gate.open();

    cut(scene);
    await settle();

    expect(scene.result).toEqual({ status: 'rejected', outcome: reason });
    expect([scene.work.begun, scene.gate.passedOn, scene.room.size, scene.lifecycle.known.size]).toEqual([0, 1, 0, 0]);
  });

  it('has nothing to pass on, when it was cut before', async () => {
    const environment = new TestEnvironment();
    const gate = new Gate();
    const call = newCall(environment);
    track(execute(gate, call, new ManualWork().run));

    call.abort('gone');
    gate.open();
    await settle();

    expect([gate.waiting, gate.passedOn]).toEqual([0, 0]);
  });

  it('gets it once', async () => {
    const { gate, work } = await waiting();

    gate.open();
    gate.open();
    await settle();

    expect(work.begun).toBe(1);
  });
});

interface Waiting {
  environment: TestEnvironment;
  call: Attempt;
}
