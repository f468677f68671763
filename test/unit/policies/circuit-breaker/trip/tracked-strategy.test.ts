import { describe, expect, it } from 'vitest';
import { anyOf } from '../../../../../lib/policies/circuit-breaker/trip/any-of.js';
import { consecutiveFailures } from '../../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { countWindow } from '../../../../../lib/policies/circuit-breaker/trip/count-window.js';
import { failureCount } from '../../../../../lib/policies/circuit-breaker/trip/failure-count.js';
import { failureRate } from '../../../../../lib/policies/circuit-breaker/trip/failure-rate.js';
import { slowCallRate } from '../../../../../lib/policies/circuit-breaker/trip/slow-call-rate.js';
import { strategyName, TrackedStrategy } from '../../../../../lib/policies/circuit-breaker/trip/tracked-strategy.js';
import type {
  TripStrategy,
  TripTracker,
  TripWindow,
} from '../../../../../lib/policies/circuit-breaker/trip/trip-strategy.js';
import { settle } from '../../../../support/settle.js';

const WINDOW: TripWindow = {
  calls: 10,
  successes: 5,
  failures: 5,
  consecutiveFailures: 5,
  failureRate: 50,
  meanSuccessMs: 20,
  windowMs: 10_000,
  volumeThreshold: 4,
  errorThresholdPercentage: 50,
};
const boom = (): never => {
  throw new Error('mine');
};
const later = (): never => Promise.reject(new Error('later')) as never;
const shouldTrip = () => false;

function tracked(strategy: Partial<TripStrategy>) {
  const reports: string[] = [];
  const reportCallback = (place: string, error: unknown) => void reports.push(`${place}: ${(error as Error).message}`);
  const own = { name: 'own', shouldTrip, ...strategy };
  return { reports, strategy: new TrackedStrategy(own, 10_000, 10, 'payments', { reportCallback }) };
}
const tracking = (tracker: Partial<TripTracker> | object) => tracked({ track: () => ({ shouldTrip, ...tracker }) });

describe('a trip strategy at work', () => {
  it.each<[unknown, boolean | string]>([
    [true, true],
    [false, false],
    ['a reason', 'a reason'],
    ['', ''],
    [undefined, false],
    [null, false],
  ])('is heard in whether to open: %s', (answer, verdict) => {
    const { strategy, reports } = tracked({ shouldTrip: () => answer as never });

    expect([strategy.shouldTrip(WINDOW), reports]).toEqual([verdict, []]);
  });

  it.each<[unknown, string]>([
    [5, '5'],
    [{}, '{}'],
    [Promise.resolve(true), 'a promise'],
  ])('is reported and says no, when it answers something else: %s', (answer, got) => {
    const { strategy, reports } = tracked({ shouldTrip: () => answer as never });

    expect(strategy.shouldTrip(WINDOW)).toBe(false);
    expect(reports).toEqual([`payments, trip strategy: expected true, false or a reason, got ${got}`]);
  });

  it('learns its window and its buckets, and is asked through what it gives for them', () => {
    const given: unknown[] = [];
    const { strategy } = tracked({
      shouldTrip: () => 'of the strategy',
      track: (...args) => (given.push(args), { shouldTrip: () => 'of the tracker' }),
    });

    expect(given).toEqual([[10_000, 10]]);
    expect(strategy.shouldTrip(WINDOW)).toBe('of the tracker');
  });

  it.each<[string, () => unknown, string[]]>([
    ['nothing', () => undefined, []],
    ['null', () => null, ['expected an object with shouldTrip(), got null']],
    ['an object without shouldTrip()', () => ({ record: () => {} }), ['expected an object with shouldTrip(), got {}']],
    ['text', () => 'own', ["expected an object with shouldTrip(), got 'own'"]],
    ['an error', boom, ['mine']],
  ])('is asked itself, where its track() gives %s', (_what, track, texts) => {
    const { strategy, reports } = tracked({ shouldTrip: () => 'of the strategy', track: track as never });

    expect(strategy.shouldTrip(WINDOW)).toBe('of the strategy');
    expect(reports).toEqual(texts.map((text) => `payments, trip strategy: ${text}`));
  });

  it('is told of outcomes only if it wants to know', () => {
    const told: unknown[] = [];
    const members = {
      record: (...args: unknown[]) => void told.push(['record', ...args]),
      recordLost: (...args: unknown[]) => void told.push(['lost', ...args]),
      failsProbe: (...args: unknown[]) => (told.push(['probe', ...args]), 'too slow'),
      reset: () => void told.push(['reset']),
      slowCallRatio: 0.25,
    };
    const { strategy, reports } = tracking(members);
    const mute = tracking({ slowCallRatio: '25 %' }).strategy;

    for (const one of [strategy, mute]) one.record(true, 30, 5_000);
    const answers = [strategy, mute].map((one) => [
      one.records,
      one.recordLost(40, 6_000),
      one.failsProbe(50),
      one.slowCallRatio,
    ]);
    for (const one of [strategy, mute]) one.reset();

    expect(answers).toEqual([
      [true, true, 'too slow', 0.25],
      [false, false, false, undefined],
    ]);
    expect(told).toEqual([['record', true, 30, 5_000], ['lost', 40, 6_000], ['probe', 50], ['reset']]);
    expect(reports).toEqual([]);
  });

  it.each<[string, () => never, string]>([
    ['throws', boom, 'mine'],
    ['rejects later', later, 'later'],
  ])('is reported and says nothing, when what it is told of %s', async (_what, fail, text) => {
    const { strategy, reports } = tracking({ record: fail, recordLost: fail, reset: fail });

    strategy.record(true, 30, 5_000);
    expect(strategy.recordLost(40, 6_000)).toBe(true);
    strategy.reset();
    await settle();

    expect(reports).toEqual(Array(3).fill(`payments, trip strategy: ${text}`));
  });

  it('is reported and lets a probe pass, when it throws or answers rubbish about it', () => {
    for (const failsProbe of [boom, () => 5 as never]) {
      const { strategy, reports } = tracking({ failsProbe });

      expect([strategy.failsProbe(50), reports.length]).toEqual([false, 1]);
    }
  });

  it.each<[TripStrategy, boolean]>([
    [failureRate(), true],
    [failureCount(3), true],
    [consecutiveFailures(3), true],
    [countWindow({ size: 3, percentage: 50 }), false],
    [slowCallRate({ slowerThan: 80, percentage: 25 }), false],
    [{ name: 'failureRate', shouldTrip }, false],
  ])('never opens while nothing fails, if it is one of ours that looks at failures: $name, %s', (strategy, needs) => {
    expect(tracked({ ...strategy }).strategy.needsFailure).toBe(false);
    expect(new TrackedStrategy(strategy, 10_000, 10, 'payments', { reportCallback: boom }).needsFailure).toBe(needs);
  });

  it('is shown by its name, or as one of its own', () => {
    expect(strategyName({ name: 'mine', shouldTrip })).toBe('mine');
    expect(strategyName({ shouldTrip } as never)).toBe('of its own');
  });
});

describe('several trip strategies at work', () => {
  const several = (...trackers: (Partial<TripTracker> | object)[]) =>
    tracked(
      anyOf(
        ...trackers.map((tracker, index) => ({
          name: `number ${index + 1}`,
          shouldTrip,
          track: () => ({ shouldTrip, ...tracker }),
        })),
      ),
    );

  it('never open by themselves, without a breaker whose outcomes they are told', () => {
    for (const one of [
      anyOf(consecutiveFailures(1)),
      countWindow({ size: 1, percentage: 1 }),
      slowCallRate({ slowerThan: 1, percentage: 1 }),
    ]) {
      expect(one.shouldTrip(WINDOW)).toBe(false);
    }
  });

  it('are each told of all, in their order', () => {
    const told: unknown[] = [];
    const teller = (name: string) => ({
      record: (...args: unknown[]) => void told.push([name, 'record', ...args]),
      recordLost: (...args: unknown[]) => void told.push([name, 'lost', ...args]),
      reset: () => void told.push([name, 'reset']),
    });
    const { strategy } = several(teller('a'), {}, teller('b'));

    strategy.record(false, 10, 1_000);
    strategy.recordLost(20, 2_000);
    strategy.reset();

    expect(told).toEqual([
      ['a', 'record', false, 10, 1_000],
      ['b', 'record', false, 10, 1_000],
      ['a', 'lost', 20, 2_000],
      ['b', 'lost', 20, 2_000],
      ['a', 'reset'],
      ['b', 'reset'],
    ]);
  });

  it('open by the first that says so, be it true or a reason; nothing and an empty reason are a no', () => {
    const says = (answer: unknown) => ({ shouldTrip: () => answer, failsProbe: () => answer });
    for (const [answers, verdict] of [
      [['', 'the second', 'the third'], 'the second'],
      [[false, true, 'the third'], true],
      [[undefined, null, ''], false],
      [[5, 0], false],
    ] as const) {
      const { strategy, reports } = several(...answers.map(says));

      expect([strategy.shouldTrip(WINDOW), strategy.failsProbe(50)]).toEqual([verdict, verdict]);
      expect(reports).toEqual([]);
    }
  });

  it('are reported only where none of them opens, the first that failed', () => {
    const failing = { shouldTrip: boom, failsProbe: boom };
    const opened = several(failing, { shouldTrip: () => 'the second' });
    const closed = several(failing, { shouldTrip: () => ({ not: 'a verdict' }) });

    expect([opened.strategy.shouldTrip(WINDOW), opened.reports]).toEqual(['the second', []]);
    expect(closed.strategy.shouldTrip(WINDOW)).toBe(false);
    expect(closed.reports).toEqual(['payments, trip strategy: mine']);
    expect(closed.strategy.failsProbe(50)).toBe(false);
    expect(closed.reports).toHaveLength(2);
  });

  it('are reported, when one gives an object or a promise for a verdict', async () => {
    for (const [answer, got] of [
      [() => ({}), '{}'],
      [later, 'a promise'],
    ] as const) {
      const { strategy, reports } = several({ shouldTrip: answer });
      strategy.shouldTrip(WINDOW);
      await settle();

      expect(reports[0]).toBe(`payments, trip strategy: expected true, false or a reason, got ${got}`);
    }
  });

  it('are told all, and then the first that failed is reported, be it by a promise', async () => {
    const told: string[] = [];
    const heard = { record: () => void told.push('heard') };
    const throwing = several({ record: boom }, heard);
    const promising = several({ record: later }, { record: boom }, heard);

    throwing.strategy.record(true, 10, 1_000);
    promising.strategy.record(true, 10, 1_000);
    await settle();

    expect(told).toEqual(['heard', 'heard']);
    expect(throwing.reports).toEqual(['payments, trip strategy: mine']);
    expect(promising.reports).toEqual([
      'payments, trip strategy: expected a strategy that counts at once, got a promise',
    ]);
  });

  it('have the share of slow calls of the first that counts them, 0 too', () => {
    expect(several({}, { slowCallRatio: 0 }, { slowCallRatio: 0.5 }).strategy.slowCallRatio).toBe(0);
    expect(several({}, {}).strategy.slowCallRatio).toBeUndefined();
  });

  it('are asked as strategies where they do not track', () => {
    const { strategy } = tracked(anyOf({ name: 'plain', shouldTrip: ({ calls }) => calls > 9 && 'ten calls' }));

    expect(strategy.shouldTrip(WINDOW)).toBe('ten calls');
  });

  it('learn their window and their buckets', () => {
    const given: unknown[] = [];
    tracked(anyOf({ name: 'one', shouldTrip, track: (...args) => (given.push(args), { shouldTrip }) }));

    expect(given).toEqual([[10_000, 10]]);
  });
});

describe('slow calls', () => {
  const slow = () => tracked(slowCallRate({ slowerThan: 100, percentage: 50 })).strategy;

  it('are told as their share of all in the window', () => {
    const strategy = slow();
    expect(strategy.slowCallRatio).toBe(0);
    for (const ms of [50, 101, 100, 500]) strategy.record(false, ms, 1_000);

    expect(strategy.slowCallRatio).toBe(0.5);
    strategy.record(false, 50, 20_000);
    expect(strategy.slowCallRatio).toBe(0);
  });

  it('leave with their bucket, and all by reset()', () => {
    const strategy = slow();
    strategy.record(false, 500, 1_000);
    strategy.record(false, 50, 1_999);
    strategy.record(false, 50, 10_999);
    expect(strategy.slowCallRatio).toBeCloseTo(1 / 3);
    strategy.record(false, 50, 11_000);
    expect(strategy.slowCallRatio).toBe(0);
    strategy.record(false, 500, 11_000);

    strategy.reset();

    expect(strategy.slowCallRatio).toBe(0);
  });

  it('open when they reach the share, and the reason says how many', () => {
    const strategy = slow();
    for (const ms of [50, 500, 50]) strategy.record(false, ms, 1_000);
    expect(strategy.shouldTrip(WINDOW)).toBe(false);
    strategy.record(false, 500, 1_000);

    expect(strategy.shouldTrip(WINDOW)).toBe('2 of 4 calls in 10 s took over 100 ms, limit 50 %');
    expect(strategy.shouldTrip({ ...WINDOW, volumeThreshold: 5 })).toBe(false);
    strategy.record(false, 50, 1_000);
    expect(strategy.shouldTrip(WINDOW)).toBe(false);
  });

  it('open at 0 % with the first, and not before', () => {
    const { strategy } = tracked(slowCallRate({ slowerThan: 100, percentage: 0 }));
    for (let call = 0; call < 4; call++) strategy.record(false, 50, 1_000);
    expect(strategy.shouldTrip(WINDOW)).toBe(false);
    strategy.record(false, 101, 1_000);

    expect(strategy.shouldTrip(WINDOW)).toBe('1 of 5 calls in 10 s took over 100 ms, limit 0 %');
  });

  it('are those that were cut, if they were slow by then', () => {
    const strategy = slow();
    strategy.recordLost(100, 1_000);
    expect(strategy.slowCallRatio).toBe(0);
    strategy.recordLost(101, 1_000);

    expect(strategy.slowCallRatio).toBe(1);
  });

  it('fail a probe with a reason in whole ms', () => {
    const strategy = slow();

    expect(strategy.failsProbe(100)).toBe(false);
    expect(strategy.failsProbe(150.4)).toBe('a probe took 150 ms, limit 100 ms');
  });
});

describe('the last calls', () => {
  const last = (options: Parameters<typeof countWindow>[0]) => tracked(countWindow(options)).strategy;
  const count = (strategy: TrackedStrategy, calls: string) => {
    for (const one of calls) strategy.record(one === 'x', 10, 1_000);
    return strategy.shouldTrip(WINDOW);
  };

  it('push out the oldest, whatever it was', () => {
    const strategy = last({ size: 3, percentage: 60 });
    expect(count(strategy, 'xx')).toBe(false);
    expect(count(strategy, '.')).toBe('2 of the last 3 calls failed, limit 60 %');
    expect(count(strategy, '.')).toBe(false);
    expect(count(strategy, 'xx')).toBe('2 of the last 3 calls failed, limit 60 %');
    expect(count(strategy, 'x')).toBe('3 of the last 3 calls failed, limit 60 %');
  });

  it('need a failure at 0 % too', () => {
    const strategy = last({ size: 2, percentage: 0 });
    expect(count(strategy, '....')).toBe(false);

    expect(count(strategy, 'x')).toBe('1 of the last 2 calls failed, limit 0 %');
  });

  it('are forgotten by reset()', () => {
    const strategy = last({ size: 4, percentage: 50, minimum: 2 });
    count(strategy, 'xxx');
    strategy.reset();
    expect(count(strategy, 'x')).toBe(false);
    expect(count(strategy, '.')).toBe('1 of the last 2 calls failed, limit 50 %');

    expect(count(strategy, '..')).toBe(false);
  });
});
