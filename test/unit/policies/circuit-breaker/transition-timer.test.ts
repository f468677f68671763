import { describe, expect, it } from 'vitest';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { BreakerScene } from '../../../support/breaker-scene.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const options = { trip: consecutiveFailures(1), resetTimeout: 1_000 };

describe('the timer of transitions', () => {
  it('does not exist, while nothing is open', async () => {
    const scene = new BreakerScene(options);

    await scene.succeed(5);

    expect(scene.clock.timersMade).toBe(0);
  });

  it('does not exist, while nobody listens', async () => {
    const scene = new BreakerScene(options, new TestEnvironment(false));

    await scene.fail();

    expect([scene.state, scene.clock.timersMade]).toEqual(['open', 0]);
  });

  it('is one for all breakers of an app, and does not keep the process alive', async () => {
    const environment = new TestEnvironment();
    const scenes = Array.from({ length: 20 }, () => new BreakerScene(options, environment));

    for (const scene of scenes) await scene.fail();

    expect([environment.clock.pending, environment.clock.keepingAlive]).toEqual([1, 0]);
  });

  it('is gone, when every breaker is closed again', async () => {
    const environment = new TestEnvironment();
    const scenes = Array.from({ length: 3 }, () => new BreakerScene(options, environment));
    for (const scene of scenes) await scene.fail();

    for (const scene of scenes) scene.breaker.close();

    expect(environment.clock.pending).toBe(0);
  });

  it('is gone, when the app has shut down', async () => {
    const scene = new BreakerScene(options);
    await scene.fail();

    scene.environment.lifecycle.dispose();

    expect(scene.clock.pending).toBe(0);
  });

  it('is gone with the last listener, and comes with the next', async () => {
    const scene = new BreakerScene(options, new TestEnvironment(false));
    const { events } = scene.environment;
    const [one, other] = [events.subscribe(() => undefined), events.subscribe(() => undefined)];
    await scene.fail();

    one();
    expect(scene.clock.pending).toBe(1);
    other();
    other();
    expect(scene.clock.pending).toBe(0);
    events.subscribe(() => undefined);

    expect(scene.clock.pending).toBe(1);
  });

  it.each<[string, (scene: BreakerScene, listener: () => void) => void]>([
    ['off', ({ breaker }, listener) => breaker.off('halfOpen', listener)],
    ['removeListener', ({ breaker }, listener) => breaker.removeListener('halfOpen', listener)],
    ['removeAllListeners', ({ breaker }) => breaker.removeAllListeners()],
    ['removeAllListeners of the event', ({ breaker }) => breaker.removeAllListeners('halfOpen')],
  ])('is gone with the last listener of the breaker itself, by %s', async (_way, leave) => {
    const scene = new BreakerScene(options, new TestEnvironment(false));
    const listener = (): void => undefined;
    scene.breaker.on('halfOpen', listener);
    await scene.fail();
    expect(scene.clock.pending).toBe(1);

    leave(scene, listener);

    expect(scene.clock.pending).toBe(0);
  });

  it('is gone with a listener that hears once', async () => {
    const scene = new BreakerScene({ ...options, halfOpenMaxWait: 100 }, new TestEnvironment(false));
    scene.breaker.once('halfOpen', () => undefined);
    await scene.fail();

    await scene.clock.advance(1_100);

    expect(scene.clock.pending).toBe(0);
  });

  it('stays for others, when one breaker is heard no more', async () => {
    const environment = new TestEnvironment(false);
    const [one, other] = [new BreakerScene(options, environment), new BreakerScene(options, environment)];
    for (const scene of [one, other]) {
      scene.breaker.on('halfOpen', () => undefined);
      await scene.fail();
    }

    one.breaker.removeAllListeners();

    expect(environment.clock.pending).toBe(1);
  });

  it('begins, when somebody begins to listen while something is open', async () => {
    const scene = new BreakerScene(options, new TestEnvironment(false));
    await scene.fail();
    const told: string[] = [];
    scene.environment.events.subscribe(({ type }) => told.push(type));

    await scene.clock.advance(1_100);

    expect(told).toEqual(['stateChange']);
  });

  it('serves a listener of the breaker itself', async () => {
    const scene = new BreakerScene(options, new TestEnvironment(false));
    const told: string[] = [];
    scene.breaker.on('halfOpen', () => told.push('halfOpen'));
    await scene.fail();

    await scene.clock.advance(1_100);

    expect(told).toEqual(['halfOpen']);
  });

  it('tells each breaker of its own moment', async () => {
    const environment = new TestEnvironment();
    const scenes = [3_000, 1_000, 2_000].map(
      (resetTimeout) => new BreakerScene({ ...options, resetTimeout }, environment),
    );
    const start = environment.clock.wallNow();
    for (const scene of scenes) await scene.fail();

    await environment.clock.advance(10_000);

    const moments = environment.of('stateChange').filter(({ to }) => to === 'halfOpen');
    expect(moments.map(({ at }) => at - start)).toEqual([1_000, 2_000, 3_000]);
  });

  it('wakes no sooner than in 10 ms, so that transitions of nearly one moment share a turn', async () => {
    const environment = new TestEnvironment();
    const scenes = [1_000, 1_004].map((resetTimeout) => new BreakerScene({ ...options, resetTimeout }, environment));
    for (const scene of scenes) await scene.fail();
    await environment.clock.advance(1_000);
    const before = environment.clock.timersMade;

    await environment.clock.advance(9);
    expect(environment.of('stateChange').filter(({ to }) => to === 'halfOpen')).toHaveLength(1);
    await environment.clock.advance(1);

    expect(environment.of('stateChange').filter(({ to }) => to === 'halfOpen')).toHaveLength(2);
    expect(environment.clock.timersMade - before).toBeLessThanOrEqual(1);
  });

  it('waits for an opening that is longer than a timer can hold', async () => {
    const scene = new BreakerScene({ ...options, resetTimeout: 2 ** 31 - 1, resetJitter: 1 });
    scene.environment.chances = [0.5];
    await scene.fail();
    const begun = scene.clock.wallNow();

    await scene.clock.advance(2 ** 31 - 1);
    expect(scene.environment.of('stateChange')).toHaveLength(1);
    await scene.clock.advance(2 ** 31 - 1);

    expect(scene.environment.of('stateChange').map(({ to, at }) => [to, at - begun])).toEqual([
      ['open', 0],
      ['halfOpen', Math.ceil((2 ** 31 - 1) * 1.5)],
    ]);
  });

  it('is set anew, when another opens that is due before', async () => {
    const environment = new TestEnvironment();
    const [late, soon] = [5_000, 1_000].map(
      (resetTimeout) => new BreakerScene({ ...options, resetTimeout }, environment),
    );
    await late?.fail();
    await soon?.fail();
    const begun = environment.clock.wallNow();

    await environment.clock.advance(6_000);

    const moments = environment.of('stateChange').filter(({ to }) => to === 'halfOpen');
    expect(moments.map(({ at }) => at - begun)).toEqual([1_000, 5_000]);
  });

  it('watches none that opens after the app has shut down', async () => {
    const scene = new BreakerScene(options);
    scene.environment.lifecycle.dispose();

    await scene.fail();
    scene.breaker.on('halfOpen', () => undefined);

    expect([scene.state, scene.clock.timersMade]).toEqual(['open', 0]);
  });

  it('follows no breaker that is no longer in use', async () => {
    const scene = new BreakerScene(options);
    await scene.fail();

    scene.named.retire();

    expect(scene.clock.pending).toBe(0);
  });
});
