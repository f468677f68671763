import { describe, expect, it } from 'vitest';
import { Advice, type AdviceMode, type ProbeTurn } from '../../../../lib/policies/circuit-breaker/advice.js';
import type { CircuitBreakerOptions } from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { BreakerScene } from '../../../support/breaker-scene.js';

const WORD = '2 of 3 have opened it';

function setUp(mode: AdviceMode, options: CircuitBreakerOptions = {}, turn: ProbeTurn = { index: 0, of: 1 }) {
  const scene = new BreakerScene({ resetTimeout: 1_000, resetJitter: 0, ...options });
  const { core } = scene.breaker;
  let changes = 0;
  const advice = (core.advice = new Advice(core, mode, { changed: () => changes++, turn: () => turn }));
  return { scene, core, advice, changes: () => changes };
}

describe("advice, with 'advise'", () => {
  it('lets the next counted failure open the breaker, whatever its strategy says', async () => {
    const { scene, advice } = setUp('advise', { trip: { name: 'never', shouldTrip: () => false } });
    await scene.fail();
    advice.reached(WORD);
    const before = scene.state;
    await scene.succeed();

    await scene.fail();

    expect([before, scene.state]).toEqual(['closed', 'open']);
    expect(scene.environment.of('stateChange')).toMatchObject([{ to: 'open', reason: WORD }]);
  });

  it('does nothing once it has lapsed, and closes nothing', async () => {
    const { scene, advice } = setUp('advise');
    advice.reached(WORD);
    await scene.fail();
    advice.lapsed();
    const opened = scene.state;
    await scene.clock.advance(1_000);
    await scene.succeed();

    await scene.fail();

    expect([opened, scene.state]).toEqual(['open', 'closed']);
  });

  it('leaves it to the strategy where that opens the breaker', async () => {
    const { scene, advice } = setUp('advise', { volumeThreshold: 1 });
    advice.reached(WORD);

    await scene.fail();

    expect(advice.isOpenByCalls).toBe(true);
    expect(scene.environment.of('stateChange')[0]?.reason).toMatch('1 of 1 calls failed');
  });

  it('does not open a breaker that must not open yet', async () => {
    const { scene, advice } = setUp('advise', { allowWarmUp: true });
    advice.reached(WORD);

    await scene.fail();

    expect(scene.state).toBe('closed');
  });
});

describe("advice, with 'follow'", () => {
  it('opens the breaker at once, for its own reset time', async () => {
    const { scene, advice } = setUp('follow');

    advice.reached(WORD);

    expect(scene.state).toBe('open');
    await scene.clock.advance(999);
    expect(scene.state).toBe('open');
    await scene.clock.advance(1);
    expect(scene.state).toBe('halfOpen');
  });

  it('spreads the first probes of those that hear of it in one moment', async () => {
    const { scene, advice } = setUp('follow');
    scene.environment.chances = [0, 0.5];

    advice.reached(WORD);

    await scene.clock.advance(749);
    expect(scene.state).toBe('open');
    await scene.clock.advance(1);
    expect(scene.state).toBe('halfOpen');
  });

  it('leaves a breaker closed whose own calls, enough of them, go well, until they do not', async () => {
    const { scene, advice } = setUp('follow', { volumeThreshold: 4, errorThresholdPercentage: 50 });
    await scene.succeed(4);

    advice.reached(WORD);
    await scene.fail(2);
    const before = scene.state;
    await scene.clock.advance(11_000);
    advice.reached(WORD);

    expect([before, scene.state]).toEqual(['closed', 'open']);
  });

  it('opens it no second time by the same word, after its own probe has closed it', async () => {
    const { scene, advice } = setUp('follow');
    advice.reached(WORD);
    await scene.clock.advance(1_000);
    await scene.succeed();

    advice.reached(WORD);
    await scene.fail();
    const bySame = scene.state;
    advice.lapsed();
    advice.reached(WORD);

    expect([bySame, scene.state]).toEqual(['closed', 'open']);
  });

  it.each(['operator', 'command', 'rule'] as const)('says less than %s', async (source) => {
    const { scene, core, advice } = setUp('follow');
    core.say(source, { state: 'normal', reason: 'by hand' });

    advice.reached(WORD);
    await scene.fail();

    expect(scene.state).toBe('closed');
  });

  it('does not open one that its options disable', () => {
    const { scene, advice } = setUp('follow', { enabled: false });

    advice.reached(WORD);

    expect(scene.state).toBe('disabled');
  });
});

describe('what others hear of a breaker', () => {
  it('is that its own calls have opened it, until it is closed', async () => {
    const { scene, advice, changes } = setUp('advise', { volumeThreshold: 1 });
    await scene.fail();
    const open = [advice.isOpenByCalls];
    await scene.clock.advance(1_000);
    await scene.fail();
    open.push(advice.isOpenByCalls);
    await scene.clock.advance(1_000);

    await scene.succeed();

    expect([...open, advice.isOpenByCalls]).toEqual([true, true, false]);
    expect(changes()).toBe(scene.environment.of('stateChange').length);
  });

  it('is never what advice opened, not even after its own probe has failed', async () => {
    const { scene, advice } = setUp('follow', { volumeThreshold: 1 });
    advice.reached(WORD);
    const open = [advice.isOpenByCalls];
    await scene.clock.advance(1_000);

    await scene.fail();

    expect(scene.state).toBe('open');
    expect([...open, advice.isOpenByCalls]).toEqual([false, false]);
  });

  it('is nothing of what was opened by hand, by an order or in the shadow', async () => {
    const byHand = setUp('advise');
    byHand.scene.breaker.open();
    const ordered = setUp('advise', { volumeThreshold: 1 });
    await ordered.scene.fail();
    ordered.core.say('command', { state: 'forcedOpen', reason: 'by ann' });
    const shadow = setUp('advise', { volumeThreshold: 1, mode: 'metricsOnly' });
    await shadow.scene.fail();

    expect([byHand, ordered, shadow].map(({ advice }) => advice.isOpenByCalls)).toEqual([false, false, false]);
    ordered.core.say('command', undefined);
    expect(ordered.advice.isOpenByCalls).toBe(true);
  });
});

describe('a dependency that another process has found well', () => {
  it('is probed sooner, by a breaker that calls or advice have opened', async () => {
    const own = setUp('follow', { volumeThreshold: 1 });
    await own.scene.fail();
    const advised = setUp('follow');
    advised.advice.reached(WORD);

    for (const { advice } of [own, advised]) advice.probeWithin(300);

    for (const { scene, core } of [own, advised]) {
      await scene.clock.advance(299);
      expect(scene.state).toBe('open');
      await scene.clock.advance(1);
      expect([scene.state, core.machine.recorded]).toEqual(['halfOpen', 'halfOpen']);
    }
  });

  it('is probed no later than without', async () => {
    const { scene, advice } = setUp('follow', { volumeThreshold: 1 });
    await scene.fail();

    advice.probeWithin(5_000);
    await scene.clock.advance(1_000);

    expect(scene.state).toBe('halfOpen');
  });

  it('is not probed for a breaker that somebody has opened', () => {
    const byHand = setUp('follow');
    byHand.scene.breaker.open();
    const forced = setUp('follow');
    forced.core.say('operator', { state: 'forcedOpen', reason: 'by hand' });

    for (const { advice } of [byHand, forced]) advice.probeWithin(0);

    expect([byHand, forced].map(({ scene }) => scene.state)).toEqual(['open', 'forcedOpen']);
  });
});

describe('processes that open in one moment', () => {
  it('probe in turns, within the time that resetJitter may add', async () => {
    const of = 4;
    const reset = { volumeThreshold: 1, resetTimeout: 10_000, resetJitter: 0.1 };
    const moments = await Promise.all(
      Array.from({ length: of }, async (_, index) => {
        const { scene, core } = setUp('follow', reset, { index, of });
        await scene.clock.advance(70 * index);
        await scene.fail();
        const openFor = core.machine.openFor;
        return { openFor, wall: scene.clock.wallNow() + openFor };
      }),
    );

    for (const { openFor } of moments) expect(openFor >= 10_000 && openFor <= 11_000).toBe(true);
    const turns = moments.map(({ wall }) => wall % 1_000);
    expect(turns).toEqual([125, 375, 625, 875]);
  });

  it('wait as long as the dependency asks for', async () => {
    const { scene, core } = setUp('follow', { volumeThreshold: 1, resetJitter: 0.1 });
    const busy = Object.assign(new Error('busy'), { status: 503, response: { headers: { 'retry-after': '45' } } });

    await scene.fail(1, busy);

    expect(core.machine.openFor).toBe(45_000);
  });
});

describe('the first probe of a breaker that follows', () => {
  const following = (options: CircuitBreakerOptions, chances: number[], turn?: ProbeTurn) => {
    const made = setUp('follow', options, turn);
    made.scene.environment.chances = chances;
    made.advice.reached(WORD);
    return { ...made, openFor: made.core.machine.openFor };
  };

  it('comes after a half of the open time at least, by a backoff too', () => {
    const options = { resetTimeout: (opening: number) => 1_000 * opening, resetJitter: 0.1 };

    expect([0, 0.5, 0.999].map((chance) => following(options, [0, chance]).openFor)).toEqual([1_000, 750, 500.5]);
  });

  it('has its turn within what resetJitter may add, also while it comes early', () => {
    const of = 4;
    const options = { resetTimeout: 10_000, resetJitter: 0.1 };

    const probes = [0, 1, 2, 3].map((index) => {
      const { openFor, scene } = following(options, [0, 0.5], { index, of });
      return [openFor >= 6_750 && openFor < 7_750, (scene.clock.wallNow() + openFor) % 1_000];
    });

    expect(probes).toEqual([
      [true, 125],
      [true, 375],
      [true, 625],
      [true, 875],
    ]);
  });

  it('comes after the whole reset time from its own opening on: a probe that failed is one of its own', async () => {
    const { scene, core } = following({ resetTimeout: 1_000 }, [0, 0.5]);
    await scene.clock.advance(750);
    await scene.fail();

    expect([scene.state, core.machine.openFor]).toEqual(['open', 1_000]);
  });

  it('is told to whoever listens at its moment', async () => {
    const { scene } = following({ resetTimeout: 1_000 }, [0, 0.5]);
    const begun = scene.clock.wallNow();

    await scene.clock.advance(2_000);

    expect(scene.environment.of('stateChange').map(({ to, at }) => [to, at - begun])).toEqual([
      ['open', 0],
      ['halfOpen', 750],
    ]);
  });
});

describe('the open time of a breaker that others hear of', () => {
  it('is that of its backoff, where its own calls have opened it', async () => {
    const { scene, core } = setUp('follow', { volumeThreshold: 1, resetTimeout: () => 700 });

    await scene.fail();

    expect(core.machine.openFor).toBe(700);
  });

  it('lets its turn come within a half of the reset time, however much resetJitter may add', async () => {
    const { scene, core } = setUp('advise', { volumeThreshold: 1, resetTimeout: 1_000, resetJitter: 1 });
    await scene.clock.advance(130);

    await scene.fail();

    const { openFor } = core.machine;
    expect(openFor >= 1_000 && openFor < 1_500).toBe(true);
    expect((scene.clock.wallNow() + openFor) % 500).toBe(250);
  });

  it('has a turn after each opening, by a failed probe too', async () => {
    const { scene, core } = setUp('advise', { volumeThreshold: 1, resetTimeout: 10_000, resetJitter: 0.1 });
    await scene.fail();
    await scene.clock.advance(core.machine.openFor + 130);

    await scene.fail();

    expect(core.machine.openFor >= 10_000 && core.machine.openFor <= 11_000).toBe(true);
    expect((scene.clock.wallNow() + core.machine.openFor) % 1_000).toBe(500);
  });

  it('is the reset time, where that ends just at its turn', async () => {
    const { scene, core } = setUp('advise', { volumeThreshold: 1, resetTimeout: 10_000, resetJitter: 0.1 });
    await scene.clock.advance(500);
    expect(scene.clock.wallNow() % 1_000).toBe(500);

    await scene.fail();

    expect(core.machine.openFor).toBe(10_000);
  });

  it('is whole, where advice has only let a failure open it', async () => {
    const { scene, core, advice } = setUp('advise');
    scene.environment.chances = [0, 0.5];
    advice.reached(WORD);

    await scene.fail();

    expect(core.machine.openFor).toBe(1_000);
  });

  it('goes on in its own time after an order', async () => {
    const { scene, core } = setUp('advise', { volumeThreshold: 1, resetTimeout: 10_000, resetJitter: 0.1 });
    await scene.fail();
    const { openFor } = core.machine;
    core.say('rule', { state: 'forcedOpen', reason: 'a rule' });
    await scene.clock.advance(230);
    core.say('rule', undefined);

    expect([scene.state, core.machine.openFor]).toEqual(['open', openFor]);
  });

  it('is left alone where somebody opens it by hand', async () => {
    const { scene, core } = setUp('follow', { resetTimeout: 10_000, resetJitter: 0.1 });
    await scene.clock.advance(130);

    scene.breaker.open();

    expect(core.machine.openFor).toBe(10_000);
  });
});

describe('an opening of its own calls', () => {
  it('counts for others while it probes, and no more once somebody has opened it by hand', async () => {
    const { scene, advice } = setUp('advise', { volumeThreshold: 1 });
    await scene.fail();
    await scene.clock.advance(1_000);
    expect([scene.state, advice.isOpenByCalls]).toEqual(['halfOpen', true]);

    scene.breaker.open();

    expect([scene.state, advice.isOpenByCalls]).toEqual(['open', false]);
  });

  it('is over with its closing: a state that was restored after it is none of its calls', async () => {
    const { scene, advice } = setUp('advise', { volumeThreshold: 1 });
    await scene.fail();
    const snapshot = scene.breaker.snapshot();
    scene.breaker.close();

    scene.breaker.restore(snapshot);

    expect([scene.state, advice.isOpenByCalls]).toEqual(['open', false]);
  });
});

describe('advice in steps', () => {
  it('opens by the newest reason', async () => {
    const { scene, advice } = setUp('advise');
    advice.reached(WORD);
    advice.reached('3 of 3 have opened it');

    await scene.fail();

    expect(scene.environment.of('stateChange')[0]?.reason).toBe('3 of 3 have opened it');
  });

  it("does not open anew what is open, and what 'advise' says opens nothing without a failure", () => {
    const follow = setUp('follow');
    follow.advice.reached(WORD);
    follow.advice.reached(WORD);
    const advise = setUp('advise');
    advise.advice.reached(WORD);

    expect(follow.scene.environment.of('stateChange')).toHaveLength(1);
    expect(follow.core.machine.openings).toBe(1);
    expect(advise.scene.state).toBe('closed');
  });

  it('is heard again after its own probe has closed it, with the next failure, where it only advises', async () => {
    const { scene, advice } = setUp('advise');
    advice.reached(WORD);
    await scene.fail();
    await scene.clock.advance(1_000);
    await scene.succeed();

    await scene.fail();

    expect(scene.state).toBe('open');
  });

  it('is heard by a breaker that looks at too few calls to be well', async () => {
    const { scene, advice } = setUp('follow', { volumeThreshold: 4, errorThresholdPercentage: 50 });
    await scene.succeed(3);

    advice.reached(WORD);

    expect(scene.state).toBe('open');
  });

  it('is heard by a breaker whose own calls reach the threshold', async () => {
    const never = { name: 'never', shouldTrip: () => false };
    const options = { volumeThreshold: 4, errorThresholdPercentage: 50, trip: never };
    const [ill, well] = [setUp('follow', options), setUp('follow', options)];
    await ill.scene.succeed(2);
    await ill.scene.fail(2);
    await well.scene.succeed(3);
    await well.scene.fail(2);

    for (const { advice } of [ill, well]) advice.reached(WORD);

    expect([ill.scene.state, well.scene.state]).toEqual(['open', 'closed']);
  });

  it('is not heard by a breaker under an order, and its lapse changes nothing', () => {
    const { scene, core, advice } = setUp('follow');
    core.say('rule', { state: 'disabled', reason: 'a rule' });

    advice.reached(WORD);
    advice.lapsed();

    expect(scene.state).toBe('disabled');
  });

  it('goes before what options say of a breaker that is closed', () => {
    const { scene, core, advice } = setUp('follow');
    core.say('options', { state: 'normal', reason: 'options' });

    advice.reached(WORD);

    expect(scene.state).toBe('open');
  });

  it('brings the next probe nearer only for a breaker that is open', async () => {
    const { scene, core, advice } = setUp('follow', { volumeThreshold: 1, resetTimeout: 1_000 });
    advice.probeWithin(300);
    expect(scene.state).toBe('closed');
    await scene.fail();
    await scene.clock.advance(700);
    advice.probeWithin(300);
    await scene.clock.advance(299);
    expect(scene.state).toBe('open');
    await scene.clock.advance(1);

    expect([scene.state, core.machine.openFor]).toEqual(['halfOpen', 1_000]);
  });
});
