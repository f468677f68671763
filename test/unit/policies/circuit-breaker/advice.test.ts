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
