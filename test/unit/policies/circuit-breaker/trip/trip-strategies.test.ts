import { describe, expect, it } from 'vitest';
import { anyOf } from '../../../../../lib/policies/circuit-breaker/trip/any-of.js';
import { consecutiveFailures } from '../../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { countWindow } from '../../../../../lib/policies/circuit-breaker/trip/count-window.js';
import { failureCount } from '../../../../../lib/policies/circuit-breaker/trip/failure-count.js';
import { failureRate } from '../../../../../lib/policies/circuit-breaker/trip/failure-rate.js';
import { slowCallRate } from '../../../../../lib/policies/circuit-breaker/trip/slow-call-rate.js';
import type {
  TripStrategy,
  TripTracker,
  TripWindow,
} from '../../../../../lib/policies/circuit-breaker/trip/trip-strategy.js';
import type { CircuitBreakerOptions } from '../../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { BreakerScene } from '../../../../support/breaker-scene.js';

const reasonOf = (scene: BreakerScene) => scene.environment.of('stateChange')[0]?.reason;

/** The states after each of the calls: `.` succeeds, `x` fails, `i` is ignored. */
async function statesAfter(calls: string, options: CircuitBreakerOptions) {
  const scene = new BreakerScene({ errorFilter: (error) => error === 'ignored', ...options });
  const states: string[] = [];
  for (const one of calls) {
    if (one === '.') await scene.succeed();
    else await scene.fail(1, one === 'i' ? 'ignored' : new Error('x'));
    states.push(scene.state);
    if (scene.state !== 'closed') break;
  }
  return { scene, openedBy: states.indexOf('open') + 1 };
}

describe('failureRate', () => {
  it('is what a breaker goes by, when nothing is said', async () => {
    const { scene, openedBy } = await statesAfter('.....xxxxx', {});

    expect(openedBy).toBe(10);
    expect(reasonOf(scene)).toBe('5 of 10 calls failed in 10 s, limit 50 %');
  });

  it('opens when the threshold is reached, not only above it', async () => {
    const options = { trip: failureRate(), volumeThreshold: 4, errorThresholdPercentage: 25 };

    expect((await statesAfter('...x', options)).openedBy).toBe(4);
    expect((await statesAfter('....x', options)).openedBy).toBe(0);
  });

  it('waits for volumeThreshold calls', async () => {
    expect((await statesAfter('xxxxxxxxx', {})).openedBy).toBe(0);
    expect((await statesAfter('xxxxxxxxxx', {})).openedBy).toBe(10);
    expect((await statesAfter('xxx', { volumeThreshold: 3 })).openedBy).toBe(3);
    expect((await statesAfter('x', { volumeThreshold: 0 })).openedBy).toBe(1);
  });

  it('opens at 100, when every call fails', async () => {
    expect((await statesAfter('xxxxxxxxxx', { errorThresholdPercentage: 100 })).openedBy).toBe(10);
    expect((await statesAfter('.xxxxxxxxxxx', { errorThresholdPercentage: 100 })).openedBy).toBe(0);
  });

  it('needs a failure, also at 0', async () => {
    expect((await statesAfter('...........', { errorThresholdPercentage: 0 })).openedBy).toBe(0);
    expect((await statesAfter('..........x', { errorThresholdPercentage: 0 })).openedBy).toBe(11);
  });

  it('is judged after a success too', async () => {
    expect((await statesAfter('xx..', { volumeThreshold: 4 })).openedBy).toBe(4);
  });

  it('looks at the rolling window alone', async () => {
    const scene = new BreakerScene();
    await scene.fail(9);
    await scene.clock.advance(10_000);

    await scene.fail(1);

    expect(scene.state).toBe('closed');
  });

  it('is not diluted by what was ignored or refused', async () => {
    expect((await statesAfter('iiiiiiiiiixxxxxxxxxx', {})).openedBy).toBe(20);
    expect((await statesAfter('.....iiiiixxxxx', {})).openedBy).toBe(15);
  });
});

describe('consecutiveFailures', () => {
  it('opens after that many in a row, without waiting for a volume', async () => {
    const { scene, openedBy } = await statesAfter('xxx', { trip: consecutiveFailures(3) });

    expect(openedBy).toBe(3);
    expect(reasonOf(scene)).toBe('3 failures in a row, limit 3');
  });

  it('begins anew with a success, and not with an ignored call', async () => {
    expect((await statesAfter('xx.xx.xx', { trip: consecutiveFailures(3) })).openedBy).toBe(0);
    expect((await statesAfter('xxiix', { trip: consecutiveFailures(3) })).openedBy).toBe(5);
  });

  it('counts over any time', async () => {
    const scene = new BreakerScene({ trip: consecutiveFailures(2) });
    await scene.fail();
    await scene.clock.advance(1_000_000);

    await scene.fail();

    expect(scene.state).toBe('open');
  });

  it.each([0, -1, 1.5, NaN, Infinity, '3'])('refuses %s', (limit) => {
    expect(() => consecutiveFailures(limit as number)).toThrow(
      /^trip strategy consecutiveFailures\(\): limit: expected/,
    );
  });
});

describe('failureCount', () => {
  it('opens after that many in the window, however many succeed, without waiting for a volume', async () => {
    const { scene, openedBy } = await statesAfter('x....x.....x', { trip: failureCount(3) });

    expect(openedBy).toBe(12);
    expect(reasonOf(scene)).toBe('3 failures in 10 s, limit 3');
  });

  it('lets failures go with the window', async () => {
    const scene = new BreakerScene({ trip: failureCount(3) });
    await scene.fail(2);
    await scene.clock.advance(10_000);

    await scene.fail(2);

    expect(scene.state).toBe('closed');
  });

  it.each([0, -1, 1.5, NaN, Infinity, '3'])('refuses %s', (limit) => {
    expect(() => failureCount(limit as number)).toThrow(/^trip strategy failureCount\(\): limit: expected/);
  });
});

describe('countWindow', () => {
  it('is judged once it is full, at the last `size` calls', async () => {
    const trip = countWindow({ size: 4, percentage: 50 });

    expect((await statesAfter('xxx', { trip })).openedBy).toBe(0);
    expect((await statesAfter('xx..', { trip })).openedBy).toBe(4);
    expect((await statesAfter('x...x.', { trip })).openedBy).toBe(0);
    expect((await statesAfter('x....x...x', { trip })).openedBy).toBe(0);
    expect((await statesAfter('x....x.x', { trip })).openedBy).toBe(8);
  });

  it('does not wait for volumeThreshold, and names its reason', async () => {
    const { scene, openedBy } = await statesAfter('xx', {
      trip: countWindow({ size: 2, percentage: 100 }),
      volumeThreshold: 100,
    });

    expect(openedBy).toBe(2);
    expect(reasonOf(scene)).toBe('2 of the last 2 calls failed, limit 100 %');
  });

  it('counts over any time', async () => {
    const scene = new BreakerScene({ trip: countWindow({ size: 2, percentage: 100 }) });
    await scene.fail();
    await scene.clock.advance(1_000_000);

    await scene.fail();

    expect(scene.state).toBe('open');
  });

  it('is judged from `minimum` calls on, by the share of those that were seen', async () => {
    const trip = countWindow({ size: 10, percentage: 50, minimum: 3 });

    expect((await statesAfter('xx', { trip })).openedBy).toBe(0);
    expect((await statesAfter('xx.', { trip })).openedBy).toBe(3);
    expect((await statesAfter('x...x.xx', { trip })).openedBy).toBe(8);
    expect((await statesAfter('..........xxxxx', { trip })).openedBy).toBe(15);
    const { scene } = await statesAfter('xxx', { trip });
    expect(reasonOf(scene)).toBe('3 of the last 3 calls failed, limit 50 %');
  });

  it('is by default judged once it is full, as with `minimum` of its size', async () => {
    const trip = countWindow({ size: 4, percentage: 50, minimum: 4 });

    expect((await statesAfter('xxx', { trip })).openedBy).toBe(0);
    expect(trip.name).toBe(countWindow({ size: 4, percentage: 50 }).name);
    expect(countWindow({ size: 4, percentage: 50, minimum: 2 }).name).toBe('countWindow(4, 50 %, from 2)');
  });

  it.each([0, 6, 1.5, NaN, '2', null])("refuses a `minimum` of %s, and says 'size'", (minimum) => {
    expect(() => countWindow({ size: 5, percentage: 50, minimum: minimum as number })).toThrow(
      "trip strategy countWindow(): option 'minimum': expected a whole number from 1 to 'size' (5), got",
    );
  });

  it('is empty after closing', async () => {
    const scene = new BreakerScene({ trip: countWindow({ size: 2, percentage: 50 }) });
    await scene.fail(2);
    await scene.clock.advance(30_000);
    await scene.succeed();
    expect(scene.state).toBe('closed');

    await scene.fail(1);

    expect(scene.state).toBe('closed');
  });

  it('keeps the calls of each breaker apart', async () => {
    const trip = countWindow({ size: 2, percentage: 100 });
    const [one, other] = [new BreakerScene({ trip }), new BreakerScene({ trip })];

    await one.fail();
    await other.fail();

    expect([one.state, other.state]).toEqual(['closed', 'closed']);
  });

  it.each([
    { size: 0, percentage: 50 },
    { size: 1.5, percentage: 50 },
    { size: 5, percentage: 101 },
    { size: 5, percentage: NaN },
  ])('refuses %j', (options) => {
    expect(() => countWindow(options)).toThrow(/^trip strategy countWindow\(\): option '\w+': expected/);
  });

  it('refuses a field that it does not know', () => {
    const misspelt = { size: 5, percentage: 50, minimun: 2 };

    expect(() => countWindow(misspelt)).toThrow(
      "trip strategy countWindow(): unknown option 'minimun' (got 2); expected one of: size, percentage, minimum",
    );
  });

  it.each([undefined, null, 5])('refuses %s for its options', (options) => {
    expect(() => countWindow(options as never)).toThrow(/^trip strategy countWindow\(\): expected an options object/);
  });
});

describe('slowCallRate', () => {
  const trip = slowCallRate({ slowerThan: 100, percentage: 50 });

  it('opens when enough calls are slow, although they succeed', async () => {
    const scene = new BreakerScene({ trip });
    await scene.succeed(5, 0);
    await scene.succeed(4, 101);
    expect(scene.state).toBe('closed');

    await scene.succeed(1, 101);

    expect(scene.state).toBe('open');
    expect(reasonOf(scene)).toBe('5 of 10 calls in 10 s took over 100 ms, limit 50 %');
  });

  it('takes for slow only what takes longer than that', async () => {
    const scene = new BreakerScene({ trip });

    await scene.succeed(20, 100);

    expect(scene.state).toBe('closed');
  });

  it('waits for volumeThreshold', async () => {
    const nine = new BreakerScene({ trip });
    const three = new BreakerScene({ trip, volumeThreshold: 3 });

    await nine.succeed(9, 500);
    await three.succeed(3, 500);

    expect([nine.state, three.state]).toEqual(['closed', 'open']);
  });

  it('counts slow failures too, and fast failures as fast', async () => {
    const scene = new BreakerScene({ trip, volumeThreshold: 2 });
    await scene.fail(3);
    expect(scene.state).toBe('closed');
    for (let index = 0; index < 3; index++) {
      const running = scene.begin();
      scene.clock.block(200);
      await running.fail();
    }

    expect(scene.state).toBe('open');
  });

  it('lets slow calls go with the window', async () => {
    const scene = new BreakerScene({ trip });
    await scene.succeed(9, 200);
    await scene.clock.advance(10_000);

    await scene.succeed(9, 200);

    expect(scene.state).toBe('closed');
  });

  it('does not count the wait for a slot', async () => {
    const scene = new BreakerScene({ trip, volumeThreshold: 1 });
    const running = scene.begin();
    scene.clock.block(5_000);
    running.call.rarely().begunAt = scene.clock.now();

    await running.succeed();

    expect(scene.state).toBe('closed');
  });

  it.each([
    { slowerThan: 0, percentage: 50 },
    { slowerThan: NaN, percentage: 50 },
    { slowerThan: 5, percentage: -1 },
  ])('refuses %j', (options) => {
    expect(() => slowCallRate(options)).toThrow(/^trip strategy slowCallRate\(\): option '\w+': expected/);
  });

  it('refuses a field that it does not know', () => {
    const misspelt = { slowerThan: 5, percentage: 50, minimum: 2 };

    expect(() => slowCallRate(misspelt)).toThrow(
      "trip strategy slowCallRate(): unknown option 'minimum' (got 2); expected one of: slowerThan, percentage",
    );
  });
});

describe('anyOf', () => {
  it('opens as soon as one of several says so, with its reason', async () => {
    const trip = anyOf(consecutiveFailures(3), countWindow({ size: 4, percentage: 50 }));

    const first = await statesAfter('xxx', { trip });
    const second = await statesAfter('x.x.', { trip });

    expect([first.openedBy, second.openedBy]).toEqual([3, 4]);
    expect(reasonOf(first.scene)).toBe('3 failures in a row, limit 3');
    expect(reasonOf(second.scene)).toBe('2 of the last 4 calls failed, limit 50 %');
    expect(trip.name).toBe('anyOf(consecutiveFailures(3), countWindow(4, 50 %))');
  });

  it('lets each wait for the volume that it waits for', async () => {
    expect((await statesAfter('xxxx', { trip: anyOf(failureRate(), failureCount(4)) })).openedBy).toBe(4);
  });

  it('may hold another anyOf', async () => {
    const trip = anyOf(anyOf(failureRate()), anyOf(consecutiveFailures(2)));

    expect((await statesAfter('xx', { trip })).openedBy).toBe(2);
  });

  it('forgets by closing what its strategies counted', async () => {
    const scene = new BreakerScene({ trip: anyOf(countWindow({ size: 2, percentage: 50 })) });
    await scene.fail(2);
    scene.breaker.close();

    await scene.fail(1);

    expect(scene.state).toBe('closed');
  });

  it('asks the others, when one throws', async () => {
    const broken: TripStrategy = {
      name: 'broken',
      shouldTrip: () => {
        throw new Error('mine');
      },
    };

    const { scene, openedBy } = await statesAfter('xx', { trip: anyOf(broken, consecutiveFailures(2)) });

    expect(scene.environment.reports[0]).toMatchObject({ error: { message: 'mine' } });
    expect(openedBy).toBe(2);
  });

  it('needs at least one', () => {
    expect(() => anyOf()).toThrow('trip strategy anyOf(): expected at least one strategy, got none');
  });

  it.each([5, null, {}, { name: 'own', shouldTrip: 'never' }])('refuses %j for a strategy, and says which', (other) => {
    expect(() => anyOf(failureRate(), other as never)).toThrow(
      /^trip strategy anyOf\(\): strategy 2: expected failureRate\(\), /,
    );
  });
});

describe('a strategy of its own', () => {
  it('sees the window after each counted call, a success too', async () => {
    const seen: Partial<TripWindow>[] = [];
    const trip: TripStrategy = {
      name: 'own',
      shouldTrip: ({ calls, successes, failures, consecutiveFailures: inARow, failureRate: rate, meanSuccessMs }) => {
        seen.push({ calls, successes, failures, consecutiveFailures: inARow, failureRate: rate, meanSuccessMs });
        return false;
      },
    };

    const { scene } = await statesAfter('.xix', { trip });

    expect(seen).toEqual([
      { calls: 1, successes: 1, failures: 0, consecutiveFailures: 0, failureRate: 0, meanSuccessMs: 0 },
      { calls: 2, successes: 1, failures: 1, consecutiveFailures: 1, failureRate: 50, meanSuccessMs: 0 },
      {
        calls: 3,
        successes: 1,
        failures: 2,
        consecutiveFailures: 2,
        failureRate: expect.closeTo(66.67, 1) as number,
        meanSuccessMs: 0,
      },
    ]);
    expect(scene.state).toBe('closed');
  });

  it('sees the options that it may go by', async () => {
    const seen: unknown[] = [];
    const trip: TripStrategy = {
      name: 'own',
      shouldTrip: ({ volumeThreshold, errorThresholdPercentage, windowMs }) =>
        seen.push([volumeThreshold, errorThresholdPercentage, windowMs]) > 99,
    };

    await statesAfter('x', { trip, volumeThreshold: 7, errorThresholdPercentage: 8, rollingCountTimeout: 9_000 });

    expect(seen).toEqual([[7, 8, 9_000]]);
  });

  it('opens with true, and gives its reason as a string', async () => {
    const byName = await statesAfter('.', { trip: { name: 'own', shouldTrip: () => true } });
    const byReason = await statesAfter('.', { trip: { name: 'own', shouldTrip: () => 'since I say so' } });

    expect([byName.openedBy, byReason.openedBy]).toEqual([1, 1]);
    expect(reasonOf(byName.scene)).toBe('trip strategy own');
    expect(reasonOf(byReason.scene)).toBe('since I say so');
  });

  it('is not asked in half-open or while open', async () => {
    let asked = 0;
    const scene = new BreakerScene({ trip: { name: 'own', shouldTrip: () => ++asked > 0 } });
    await scene.fail();
    await scene.clock.advance(30_000);

    await scene.fail();

    expect(asked).toBe(1);
  });

  it('is reported, when it throws, and neither trips nor fails the call', async () => {
    const scene = new BreakerScene({
      trip: {
        name: 'own',
        shouldTrip: () => {
          throw new Error('mine');
        },
      },
    });
    const running = scene.begin();

    await running.succeed('value');

    expect(running.result).toEqual({ status: 'fulfilled', outcome: 'value' });
    expect(scene.state).toBe('closed');
    expect(scene.environment.reports).toMatchObject([{ place: 'payments, trip strategy', error: { message: 'mine' } }]);
  });

  it.each(['record', 'reset'] as const)(
    'is reported, when its %s() throws, and does not fail the call',
    async (what) => {
      const broken = () => {
        throw new Error('mine');
      };
      const tracker = { record: () => {}, reset: () => {}, shouldTrip: () => true, [what]: broken };
      const scene = new BreakerScene({ trip: { name: 'own', shouldTrip: () => false, track: () => tracker } });
      await scene.fail();
      await scene.clock.advance(30_000);
      const probe = scene.begin();

      await probe.succeed('value');

      expect(probe.result).toEqual({ status: 'fulfilled', outcome: 'value' });
      expect(scene.state).toBe('closed');
      expect(scene.environment.reports[0]).toMatchObject({ error: { message: 'mine' } });
    },
  );
});

describe('a strategy of anyOf() that is faulty', () => {
  const boom = (): never => {
    throw new Error('mine');
  };
  const later = (): never => Promise.reject(new Error('mine')) as never;

  it.each<[string, Partial<TripStrategy & TripTracker>]>([
    ['track() throws', { track: boom }],
    ['shouldTrip() throws', { shouldTrip: boom }],
    ['shouldTrip() gives a promise', { shouldTrip: later }],
    ['record() throws', { track: () => ({ shouldTrip: () => false, record: boom }) }],
    ['record() gives a promise', { track: () => ({ shouldTrip: () => false, record: later }) }],
    ['reset() throws', { track: () => ({ shouldTrip: () => false, reset: boom }) }],
  ])('is reported and does not silence the others, when %s', async (_, members) => {
    const faulty = { name: 'faulty', shouldTrip: () => false, ...members };
    const scene = new BreakerScene({ trip: anyOf(faulty, countWindow({ size: 2, percentage: 100 })) });

    await scene.fail(2);
    expect(scene.state).toBe('open');
    scene.breaker.reset();

    expect(scene.environment.reports.length).toBeGreaterThan(0);
    expect(new Set(scene.environment.reports.map(({ place }) => place))).toEqual(new Set(['payments, trip strategy']));
  });
});
