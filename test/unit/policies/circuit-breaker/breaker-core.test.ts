import { describe, expect, it } from 'vitest';
import { BreakerCore } from '../../../../lib/policies/circuit-breaker/breaker-core.js';
import { latenciesOf } from '../../../../lib/policies/circuit-breaker/breaker-stats.js';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  type CircuitBreakerOptions,
} from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { REFUSED, type Failure } from '../../../../lib/policies/circuit-breaker/permit.js';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { slowCallRate } from '../../../../lib/policies/circuit-breaker/trip/slow-call-rate.js';
import type { TripStrategy } from '../../../../lib/policies/circuit-breaker/trip/trip-strategy.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const boom = new Error('boom');
const FAILURE: Failure = { latencyMs: 10, error: boom, timedOut: false, answer: boom, args: [] };

/** A breaker to which nobody listens, and the permits of its calls. */
function setUp(options: CircuitBreakerOptions = {}, environment = new TestEnvironment(false)) {
  environment.chances = [0];
  const resolved = { ...CIRCUIT_BREAKER_DEFAULTS, ...options };
  const core = new BreakerCore({ name: 'payments', options: resolved, latencies: latenciesOf(resolved), environment });
  const { clock } = environment;
  const permit = (weight?: number) => {
    const since = clock.now();
    const admitted = core.admit(since);
    return { epoch: core.machine.epoch, since, weight: weight ?? admitted };
  };
  const fail = (count = 1): void => {
    for (let call = 0; call < count; call++) core.failed(permit(), clock.now(), FAILURE);
  };
  return { core, clock, permit, fail, environment };
}

describe('a success whose time nobody wants to know', () => {
  it('is counted as one, and ends a row of failures', () => {
    const { core, permit, fail } = setUp({ trip: consecutiveFailures(3) });
    fail(2);

    expect(core.succeededUnmeasured(permit(0))).toBe(true);
    fail(2);

    expect(core.machine.recorded).toBe('closed');
    expect(core.stats).toMatchObject({ successes: 1, failures: 4 });
    expect(core.stats.latencyMean).toBeGreaterThan(9);
  });

  it('opens the breaker, where it makes up the volume at which the failures before it are judged', () => {
    const { core, permit, fail } = setUp({ volumeThreshold: 4 });
    fail(2);
    core.succeededUnmeasured(permit(0));
    expect(core.machine.recorded).toBe('closed');

    core.succeededUnmeasured(permit(0));

    expect(core.machine.recorded).toBe('open');
    expect(core.reason).toBe('2 of 4 calls failed in 10 s, limit 50 %');
  });

  it('is told to a strategy that is not ours, even while nothing fails', () => {
    let asked = 0;
    const trip: TripStrategy = { name: 'own', shouldTrip: ({ successes }) => (asked++, successes > 2) };
    const { core, permit } = setUp({ trip });

    for (let call = 0; call < 3; call++) core.succeededUnmeasured(permit(0));

    expect([asked, core.machine.recorded]).toEqual([3, 'open']);
  });

  it('asks no strategy of ours that looks at failures alone, while nothing fails', () => {
    const { core, permit } = setUp();
    let read = 0;
    Object.defineProperty(core.tally, 'failureRate', { get: () => read++ });

    core.succeededUnmeasured(permit(0));

    expect([read, core.tally.quiet, core.stats.successes]).toEqual([0, true, 1]);
  });

  it.each<[string, CircuitBreakerOptions]>([
    ['a strategy', { trip: slowCallRate({ slowerThan: 100, percentage: 50 }) }],
    ['isFailure', { isFailure: () => false }],
  ])('is measured all the same where %s looks at it', (_who, options) => {
    const { core, permit } = setUp(options);

    expect(core.succeededUnmeasured(permit(0))).toBe(false);
    expect(core.stats.successes).toBe(0);
  });

  it('is measured all the same where anybody listens', () => {
    const listening = setUp({}, new TestEnvironment());
    const heard = setUp();
    heard.core.events.onListeners(true);

    expect(listening.core.succeededUnmeasured(listening.permit(0))).toBe(false);
    expect(heard.core.succeededUnmeasured(heard.permit(0))).toBe(false);
  });

  it('counts no more in a state in which it did not begin', () => {
    const { core, permit, fail } = setUp({ trip: consecutiveFailures(1) });
    const late = permit(0);
    fail();
    core.close('by hand');

    expect(core.succeededUnmeasured(late)).toBe(true);
    expect(core.stats.successes).toBe(0);
  });
});

describe('what a breaker counts', () => {
  it('stands in the bucket of the moment at which it came, after however long', () => {
    const { core, clock, permit } = setUp();
    const permits = [permit(), permit(), permit()] as const;
    clock.block(10_000);

    core.fellBack('answer', boom);
    clock.block(10_000);
    core.ignored(permits[0], clock.now(), boom);
    const full = core.stats.semaphoreRejections;
    clock.block(10_000);
    core.succeeded(permits[1], 30_000, clock.now(), 'value');
    const good = core.stats.successes;
    clock.block(10_000);
    core.failed(permits[2], clock.now(), FAILURE);

    expect([full, good]).toEqual([1, 1]);
    expect(core.stats).toMatchObject({ fires: 0, fallbacks: 0, semaphoreRejections: 0, successes: 0, failures: 1 });
  });

  it('are the answers of a fallback too', () => {
    const { core, clock, permit } = setUp();
    permit();
    clock.block(10_000);

    core.fellBack('answer', boom);

    expect(core.stats).toMatchObject({ fires: 0, fallbacks: 1 });
  });

  it('is a share of slow calls only for a strategy that looks for them', () => {
    const slow = setUp({ trip: slowCallRate({ slowerThan: 100, percentage: 90 }) });
    for (const ms of [50, 150]) slow.core.succeeded(slow.permit(), ms, slow.clock.now(), 'value');

    expect(slow.core.tally.slowCallRatio).toBe(0.5);
    expect(setUp().core.tally.slowCallRatio).toBeUndefined();
  });

  it('is nothing of a call that began in a state that is over', () => {
    const { core, clock, permit } = setUp({ trip: consecutiveFailures(1) });
    const [good, bad] = [permit(), permit()];
    core.trip(clock.now(), 'why', 'hand');
    core.close('by hand');

    core.succeeded(good, 10, clock.now(), 'value');
    core.failed(bad, clock.now(), FAILURE);

    expect(core.machine.recorded).toBe('closed');
    expect(core.stats).toMatchObject({ successes: 0, failures: 0 });
  });
});

describe('how many calls run under a breaker', () => {
  it('is known in every state, of those that it only looks on as well', () => {
    const { core, clock, permit, fail } = setUp({ trip: consecutiveFailures(1) });
    const counts = [core.inFlight];
    permit();
    counts.push(core.inFlight);
    fail();
    expect(permit().weight).toBe(REFUSED);
    counts.push(core.inFlight);
    core.lookOn(clock.now());
    counts.push(core.inFlight);
    clock.block(30_000);
    permit();
    counts.push(core.inFlight);
    core.release();
    counts.push(core.inFlight);

    expect(counts).toEqual([0, 1, 2, 3, 4, 3]);
  });
});

describe('a call for which a breaker only looks on', () => {
  const opened = () => {
    const made = setUp({ trip: consecutiveFailures(1), mode: 'metricsOnly' }, new TestEnvironment());
    made.fail();
    return made;
  };

  it('is told as one that would have been refused', () => {
    const { core, clock, environment } = opened();

    core.lookOn(clock.now());

    expect(environment.of('refused')).toMatchObject([{ code: 'CIRCUIT_OPEN', metricsOnly: true }]);
  });

  it('counts with its own latency, and moves no state', () => {
    const { core, clock, permit } = opened();
    const [good, bad, lost] = [permit(), permit(), permit()];
    expect([good.weight, bad.weight]).toEqual([REFUSED, REFUSED]);
    const before = core.stats;

    core.succeeded(good, 500, clock.now(), 'value');
    core.failed(bad, clock.now(), { ...FAILURE, latencyMs: 500 });
    core.lost(lost, clock.now(), 500);
    core.ignored(permit(), clock.now(), undefined);

    expect(core.machine.recorded).toBe('open');
    expect(core.stats.successes - before.successes).toBe(1);
    expect(core.stats.failures - before.failures).toBe(1);
    expect(core.stats.latencyMean).toBeGreaterThan(300);
  });
});

describe('a probe', () => {
  const probing = (options: CircuitBreakerOptions = {}) => {
    const made = setUp({ trip: consecutiveFailures(1), ...options });
    made.fail();
    made.clock.block(30_000);
    return made;
  };

  it('is measured, however many calls come at once', () => {
    const made = setUp({ trip: consecutiveFailures(1) });
    for (let call = 0; call < 10_005; call++) made.permit();
    expect(made.permit().weight).toBe(0);
    made.fail();
    made.core.machine.probeAt(made.clock.now());

    expect(made.permit().weight).toBe(1);
  });

  it('that is not judged, whatever the reason, lets another begin', () => {
    const { core, clock, permit, environment } = probing();
    const ends: ((probe: ReturnType<typeof permit>) => void)[] = [
      (probe) => core.ignored(probe, clock.now(), undefined),
      (probe) => core.lost(probe, clock.now(), 20),
      (probe) => core.lost(probe, clock.now(), undefined),
      (probe) => core.unjudged(probe, boom),
    ];

    for (const end of ends) {
      const probe = permit();
      expect([probe.weight, permit().weight]).toEqual([1, REFUSED]);
      end(probe);
    }

    expect(permit().weight).toBe(1);
    expect(environment.reports).toEqual([{ place: 'payments, judging an outcome', error: boom }]);
  });

  it('hands nothing back in another state than its own', () => {
    const { core, clock, permit, fail } = probing();
    const old = permit();
    core.close('by hand');
    fail();
    clock.block(30_000);
    const probe = permit();

    core.ignored({ ...old, since: probe.since }, clock.now(), undefined);
    core.unjudged({ ...old, since: probe.since }, boom);
    core.lost({ ...old, since: probe.since }, clock.now(), 20);

    expect(permit().weight).toBe(REFUSED);
  });

  it('that was lost has failed, if it was slow already', () => {
    const slow = slowCallRate({ slowerThan: 100, percentage: 50 });
    const made = setUp({ trip: slow, volumeThreshold: 1 });
    made.core.succeeded(made.permit(), 150, made.clock.now(), 'value');
    expect(made.core.machine.recorded).toBe('open');
    made.clock.block(30_000);

    made.core.lost(made.permit(), made.clock.now(), 150);

    expect(made.core.machine.recorded).toBe('open');
    expect(made.core.reason).toBe('a probe took 150 ms, limit 100 ms');
  });

  it('that has failed opens it for as long as the dependency asks for', () => {
    const { core, clock, permit } = probing();
    const answer = { headers: { 'retry-after': '45' } };

    core.failed(permit(), clock.now(), { ...FAILURE, answer });

    expect([core.machine.openFor, core.reason]).toEqual([45_000, 'a probe failed']);
  });

  it('has failed for a strategy that says so, in its words or by its name', () => {
    for (const [verdict, reason] of [
      ['too slow for me', 'too slow for me'],
      [true, 'a probe failed by trip strategy own'],
    ] as const) {
      const tracker = { shouldTrip: ({ failures }: { failures: number }) => failures > 0, failsProbe: () => verdict };
      const { core, clock, permit, fail } = setUp({
        trip: { name: 'own', shouldTrip: () => false, track: () => tracker },
      });
      fail();
      clock.block(30_000);

      core.succeeded(permit(), 10, clock.now(), 'value');

      expect([core.machine.recorded, core.reason]).toEqual(['open', reason]);
    }
  });

  it.each([false, ''])('has not failed for a strategy that says %j', (verdict) => {
    const tracker = { shouldTrip: ({ failures }: { failures: number }) => failures > 0, failsProbe: () => verdict };
    const { core, clock, permit, fail } = setUp({
      trip: { name: 'own', shouldTrip: () => false, track: () => tracker },
    });
    fail();
    clock.block(30_000);

    core.succeeded(permit(), 10, clock.now(), 'value');

    expect([core.machine.recorded, core.reason]).toEqual(['closed', '1 of 1 probes succeeded']);
  });
});

describe('an outcome that comes after the reset time is over', () => {
  it('counts nowhere, and finds the breaker half-open', () => {
    const { core, clock, permit, fail } = setUp({ trip: consecutiveFailures(1), mode: 'metricsOnly' });
    fail();
    const watched = permit();
    clock.block(30_000);

    core.succeeded(watched, 10, clock.now(), 'value');

    expect([core.machine.recorded, core.stats.successes]).toEqual(['halfOpen', 0]);
  });
});

describe('a disabled breaker', () => {
  it('counts no outcome, and no answer of a fallback', () => {
    const { core, clock, permit } = setUp({ enabled: false });
    core.succeeded(permit(), 10, clock.now(), 'value');
    core.failed(permit(), clock.now(), FAILURE);
    core.lost(permit(), clock.now(), 10);
    core.fellBack('answer', boom);

    expect(core.stats).toMatchObject({ fires: 0, successes: 0, failures: 0, fallbacks: 0 });
    expect(core.inFlight).toBe(3);
  });
});

describe('an opening', () => {
  it('lasts as long as the dependency asks for, a minute at most, and not less than the reset time', () => {
    for (const [seconds, openFor] of [
      [5, 30_000],
      [45, 45_000],
      [600, 60_000],
    ] as const) {
      const { core, clock, permit } = setUp({ trip: consecutiveFailures(1) });
      const answer = { headers: { 'retry-after': String(seconds) } };
      core.failed(permit(), clock.now(), { ...FAILURE, answer });

      expect([seconds, core.machine.openFor]).toEqual([seconds, openFor]);
    }
  });

  it('by a strategy that gives no reason is told by its name', () => {
    const { core, fail } = setUp({ trip: { name: 'own', shouldTrip: () => true } });
    fail();

    expect(core.reason).toBe('trip strategy own');
  });
});

describe('other options for a breaker', () => {
  const reconfigure = (core: BreakerCore, more: CircuitBreakerOptions) =>
    core.reconfigure({ ...core.options, ...more }, undefined);

  it('keep its state and its counts; what a changed strategy counts by itself begins empty', () => {
    const made: string[] = [];
    const counting = (name: string): TripStrategy => ({
      name,
      shouldTrip: () => false,
      track: () => (made.push(name), { shouldTrip: () => false, record: () => {} }),
    });
    const { core, fail } = setUp({ trip: counting('one') });
    fail(3);

    reconfigure(core, { trip: counting('one'), volumeThreshold: 2 });
    expect([core.stats.failures, made]).toEqual([3, ['one']]);
    reconfigure(core, { trip: counting('other') });
    expect([core.stats.failures, made]).toEqual([3, ['one', 'other']]);
    reconfigure(core, { rollingCountBuckets: 5 });

    expect([core.stats.failures, made]).toEqual([0, ['one', 'other', 'other']]);
  });

  it('decide anew whether successes are looked at', () => {
    const { core, permit } = setUp();
    expect(core.succeededUnmeasured(permit(0))).toBe(true);
    reconfigure(core, { isFailure: () => false });

    expect(core.succeededUnmeasured(permit(0))).toBe(false);
  });

  it('turn it off and on', () => {
    const { core } = setUp();
    reconfigure(core, { enabled: false });
    expect([core.machine.recorded, core.reason]).toEqual(['disabled', 'disabled by its options']);
    reconfigure(core, { enabled: true });
    expect(core.machine.recorded).toBe('closed');
    core.enable('by hand');
    reconfigure(core, { volumeThreshold: 2 });

    expect(core.machine.recorded).toBe('closed');
  });

  it('do not turn it off again that somebody has enabled by hand, as long as they say the same', () => {
    const { core } = setUp({ enabled: false });
    core.enable('by hand');

    reconfigure(core, { volumeThreshold: 2 });

    expect(core.machine.recorded).toBe('closed');
  });

  it('find first what the clock has brought about', () => {
    const { core, clock, fail } = setUp({ trip: consecutiveFailures(1) });
    fail();
    clock.block(30_000);

    reconfigure(core, { resetTimeout: 100_000 });

    expect(core.machine.recorded).toBe('halfOpen');
  });

  it('hold it closed within its first window, where they say so', () => {
    const { core, clock, fail } = setUp({ trip: consecutiveFailures(1) });
    reconfigure(core, { allowWarmUp: true });
    fail();
    expect([core.tally.warmUp, core.machine.recorded]).toEqual([true, 'closed']);
    clock.block(10_000);
    fail();

    expect([core.tally.warmUp, core.machine.recorded]).toEqual([false, 'open']);
  });
});

describe('a breaker that is closed by hand', () => {
  it('forgets its latencies too, but one of a key those that it shares', () => {
    const read = ['a', undefined].map((key) => {
      const environment = new TestEnvironment(false);
      const latencies = latenciesOf(CIRCUIT_BREAKER_DEFAULTS);
      const init = { name: 'payments', options: CIRCUIT_BREAKER_DEFAULTS, latencies, environment };
      const core = new BreakerCore(key === undefined ? init : { ...init, key });
      core.succeeded({ epoch: core.machine.epoch, since: 0, weight: 1 }, 100, environment.clock.now(), 'value');
      core.close('by hand');
      return [core.stats.successes, core.stats.latencyMean > 90];
    });

    expect(read).toEqual([
      [0, true],
      [0, false],
    ]);
  });

  it('is told that something was said of it', () => {
    const said: string[] = [];
    const environment = new TestEnvironment(false);
    const core: BreakerCore = new BreakerCore({
      name: 'payments',
      options: CIRCUIT_BREAKER_DEFAULTS,
      environment,
      onSaid: () => said.push(core.machine.recorded),
      onChange: () => said.push('changed'),
    });

    core.say('rule', { state: 'disabled', reason: 'a rule' });
    core.say('operator', undefined);
    core.close('by hand');
    core.say('rule', undefined);

    expect(said).toEqual(['changed', 'disabled', 'disabled', 'changed', 'closed']);
  });

  it('runs what is to end with it once', () => {
    const { core } = setUp();
    const ended: number[] = [];
    core.whenRetired(() => ended.push(1));
    core.whenRetired(() => ended.push(2));

    core.retire();
    core.retire();

    expect(ended).toEqual([1, 2]);
  });
});
