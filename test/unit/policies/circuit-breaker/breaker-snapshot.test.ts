import { describe, expect, it } from 'vitest';
import type { CircuitBreakerOptions } from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import type { BreakerSnapshot } from '../../../../lib/policies/circuit-breaker/breaker-snapshot.js';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { BreakerScene } from '../../../support/breaker-scene.js';

const once = consecutiveFailures(1);
const RESET = 30_000;

/** A breaker whose clock stands at 7 s. */
async function scene(options: CircuitBreakerOptions = {}): Promise<BreakerScene> {
  const made = new BreakerScene({ trip: once, ...options });
  await made.clock.advance(7_000);
  return made;
}

describe('the snapshot of a breaker', () => {
  it('tells of an opening what refusals tell of it, and when the next probe may run', async () => {
    const { breaker, clock, fail } = await bound({ trip: consecutiveFailures(2) });
    const openedAt = clock.wallNow() + 1_000;
    await clock.advance(1_000);
    await fail(2, new TypeError('broken'));
    await clock.advance(2_000);

    expect(breaker.snapshot()).toEqual({
      name: 'payments',
      state: 'open',
      reason: '2 failures in a row, limit 2',
      probeAt: openedAt + RESET,
      openings: 1,
      since: openedAt,
      failures: 2,
      calls: 2,
      lastError: 'TypeError: broken',
    });
  });

  it('tells of a half-open one no time, and of a closed one no opening', async () => {
    const { breaker, clock, fail, succeed } = await bound();
    const closed = breaker.snapshot();
    await fail(1, new Error('boom'));
    await clock.advance(RESET);
    const halfOpen = breaker.snapshot();
    await succeed();

    expect(closed).toEqual({
      name: 'payments',
      state: 'closed',
      reason: '',
      probeAt: undefined,
      openings: 0,
      since: clock.wallNow() - 7_000 - RESET,
    });
    expect(halfOpen).toMatchObject({ state: 'halfOpen', probeAt: undefined, openings: 1, failures: 1, calls: 1 });
    expect(breaker.snapshot()).toEqual({
      name: 'payments',
      state: 'closed',
      reason: '1 of 1 probes succeeded',
      probeAt: undefined,
      openings: 0,
      since: clock.wallNow(),
    });
  });

  it('tells no time of one whose reset time is over, though nobody has called since', async () => {
    const { breaker, clock, fail } = await bound();
    await fail();
    clock.block(RESET + 500);

    expect(breaker.snapshot()).toMatchObject({ state: 'halfOpen', probeAt: undefined, since: clock.wallNow() - 500 });
  });

  it('tells of one that is disabled nothing of its last opening', async () => {
    const { breaker, fail } = await bound();
    await fail();
    breaker.disable();

    expect(breaker.snapshot()).not.toHaveProperty('failures');
  });

  it('tells of one that was opened by hand no error', async () => {
    const { breaker } = await scene();
    breaker.open();

    expect(breaker.snapshot()).toMatchObject({ state: 'open', reason: 'opened by hand', failures: 0, calls: 0 });
    expect(breaker.snapshot()).not.toHaveProperty('lastError');
  });

  it('tells what was ordered by hand, with what was counted when it was forced open', async () => {
    const { breaker, clock, succeed } = await bound();
    await succeed(4);
    breaker.forceOpen('maintenance');
    await clock.advance(500);
    const forced = breaker.snapshot();
    breaker.disable();

    expect(forced).toEqual({
      name: 'payments',
      state: 'forcedOpen',
      reason: 'maintenance',
      openings: 0,
      since: clock.wallNow() - 500,
      failures: 0,
      calls: 4,
    });
    expect(breaker.snapshot()).toEqual({
      name: 'payments',
      state: 'disabled',
      reason: 'disabled by hand',
      openings: 0,
      since: clock.wallNow(),
    });
  });

  it.each(['rule', 'command'] as const)('tells the own state of one of which a %s speaks', async (source) => {
    const { named, breaker, fail } = await bound();
    await fail();
    named.say(source, { state: 'forcedOpen', reason: 'elsewhere' });

    expect(breaker.snapshot()).toMatchObject({ state: 'open', reason: '1 failure in a row, limit 1', openings: 1 });
  });

  it('tells the own state where an operator has said that it is to go by itself', async () => {
    const { named, breaker, fail } = await bound();
    named.say('operator', { state: 'normal', reason: 'by ann' });
    await fail();

    expect(breaker.snapshot()).toMatchObject({ state: 'open', reason: '1 failure in a row, limit 1' });
  });
});

describe('a breaker that takes on a snapshot', () => {
  const snapshot = (given: Partial<BreakerSnapshot>): BreakerSnapshot => ({
    name: 'elsewhere',
    state: 'open',
    reason: 'as before',
    openings: 1,
    ...given,
  });

  it('half-open lets a probe begin at once, and knows how often it has opened', async () => {
    const other = await scene();

    other.breaker.restore(snapshot({ state: 'halfOpen', openings: 3, probeAt: other.clock.wallNow() + 9_000 }));

    expect(other.state).toBe('halfOpen');
    expect(other.breaker.snapshot()).toMatchObject({ reason: 'as before', openings: 3 });
    expect(await other.lets()).toBe(true);
    expect(other.state).toBe('closed');
  });

  it('closed has counted nothing', async () => {
    const other = await scene({ trip: consecutiveFailures(5) });
    await other.fail(4);

    other.breaker.restore(snapshot({ state: 'closed', openings: 0 }));
    await other.fail(4);

    expect([other.state, other.stats.failures]).toEqual(['closed', 4]);
  });

  it('open keeps what it has counted', async () => {
    const other = await scene({ trip: consecutiveFailures(5) });
    await other.fail(4);

    other.breaker.restore(snapshot({ probeAt: other.clock.wallNow() + 1_000 }));

    expect(other.stats.failures).toBe(4);
  });

  it('of a breaker that was ordered is ordered by hand, since the same moment', async () => {
    const other = await scene();
    const since = other.clock.wallNow() - 5_000;

    other.breaker.restore(snapshot({ state: 'forcedOpen', since }));
    expect(other.state).toBe('forcedOpen');
    expect(other.breaker.snapshot()).toMatchObject({ state: 'forcedOpen', reason: 'as before', since });
    other.breaker.restore(snapshot({ state: 'disabled' }));

    expect(other.state).toBe('disabled');
    expect(other.breaker.snapshot()).toMatchObject({ state: 'disabled', reason: 'as before' });
    expect(await other.lets()).toBe(true);
  });

  it('takes back what was ordered by hand before', async () => {
    const other = await scene();
    other.breaker.forceOpen();

    other.breaker.restore(snapshot({ state: 'closed', openings: 0 }));

    expect([other.state, other.breaker.core.wordOf('operator')]).toEqual(['closed', undefined]);
  });

  it('lets a probe begin at once where the snapshot tells no time', async () => {
    const other = await scene();

    other.breaker.restore(snapshot({ probeAt: undefined }));

    expect(other.state).toBe('halfOpen');
  });

  it('tells that somebody has done it by hand', async () => {
    const other = await scene();

    other.breaker.restore(snapshot({ probeAt: other.clock.wallNow() + 1_000 }));

    expect(other.environment.of('stateChange')).toMatchObject([{ to: 'open', reason: 'as before', byHand: true }]);
  });

  it.each<[string, object, object]>([
    ['everything', { failures: 3, calls: 9, lastError: 'Error: x' }, { failures: 3, calls: 9, lastError: 'Error: x' }],
    ['no error', { failures: 3, calls: 9 }, { failures: 3, calls: 9 }],
    ['an error that is no text', { failures: 3, calls: 9, lastError: 5 }, { failures: 3, calls: 9 }],
    ['no calls', { failures: 3, lastError: 'Error: x' }, {}],
    ['no failures', { calls: 9, lastError: 'Error: x' }, {}],
  ])('tells of the opening as much as the snapshot: %s', async (_what, given, told) => {
    const other = await scene();
    const probeAt = other.clock.wallNow() + 1_000;

    other.breaker.restore(snapshot({ ...given, probeAt }));

    const { state, reason, since, ...counts } = other.breaker.core.refusal(other.clock.now()).details ?? {};
    expect({ state, reason, since }).toEqual({ state: 'open', reason: 'as before', since: other.clock.wallNow() });
    expect(counts).toEqual(told);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a list', [snapshot({})]],
    ['a state that there is not', snapshot({ state: 'ajar' as never })],
    ['openings that are no number', snapshot({ openings: '1' as never })],
    ['a part of an opening', snapshot({ openings: 0.5 })],
  ])('refuses %s, and stays as it is', async (_what, given) => {
    const other = await scene();

    expect(() => other.breaker.restore(given as never)).toThrow(
      /^circuit breaker payments, restore: expected what snapshot\(\) gave, got/,
    );
    expect(other.state).toBe('closed');
  });
});

async function bound(options?: CircuitBreakerOptions) {
  const made = await scene(options);
  const { breaker, clock, named } = made;
  return { breaker, clock, named, fail: made.fail.bind(made), succeed: made.succeed.bind(made) };
}

describe('a breaker as JSON', () => {
  const stateOf = ({ breaker }: BreakerScene) => breaker.toJSON().state;

  it('names the moment at which it opened or began to probe, and none while it is closed', async () => {
    const it = await scene();
    expect(stateOf(it)).toEqual({
      name: 'payments',
      enabled: true,
      closed: true,
      open: false,
      halfOpen: false,
      warmUp: false,
      shutdown: false,
      lastTimerAt: undefined,
    });
    await it.fail();
    const openedAt = it.clock.wallNow();
    await it.clock.advance(RESET - 1);
    expect(stateOf(it)).toMatchObject({ closed: false, open: true, halfOpen: false, lastTimerAt: openedAt });
    await it.clock.advance(500);

    expect(stateOf(it)).toMatchObject({ open: false, halfOpen: true, lastTimerAt: openedAt + RESET });
  });

  it('tells that it is disabled, warming up, or shut down', async () => {
    const warm = await scene({ allowWarmUp: true });
    expect(stateOf(warm)).toMatchObject({ warmUp: true, closed: true });
    await warm.clock.advance(3_000);
    expect(stateOf(warm)).toMatchObject({ warmUp: false });
    warm.breaker.disable();
    expect(stateOf(warm)).toMatchObject({ enabled: false, closed: true });
    warm.breaker.shutdown();

    expect(stateOf(warm)).toMatchObject({ shutdown: true, closed: false, enabled: false });
  });

  it('has its statistics', async () => {
    const it = await scene();
    await it.succeed(2, 40);

    expect(it.breaker.toJSON().status).toEqual(it.stats);
    expect(it.breaker.toJSON().status).toMatchObject({ successes: 2 });
  });
});
