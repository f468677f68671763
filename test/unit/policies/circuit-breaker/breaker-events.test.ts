import { describe, expect, it } from 'vitest';
import type { ResilienceEvent } from '../../../../lib/events/resilience-event.js';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { BreakerScene } from '../../../support/breaker-scene.js';
import { settle } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const OPTIONS = { trip: consecutiveFailures(1), resetTimeout: 1_000 };
const silent = () => new BreakerScene(OPTIONS, new TestEnvironment(false));

describe('what listeners of a breaker hear', () => {
  it.each(['on', 'addListener', 'prependListener', 'once', 'prependOnceListener'] as const)(
    'is told to those that come by %s',
    async (way) => {
      const scene = silent();
      const heard: string[] = [];

      expect(scene.breaker[way]('open', () => heard.push('open'))).toBe(scene.breaker);
      expect(scene.breaker.core.events.listenedTo).toBe(true);
      await scene.fail();

      expect(heard).toEqual(['open']);
    },
  );

  it('comes to those first that were prepended', async () => {
    const scene = silent();
    const heard: string[] = [];
    scene.breaker.on('open', () => heard.push('second'));
    scene.breaker.prependListener('open', () => heard.push('first'));

    await scene.fail();

    expect(heard).toEqual(['first', 'second']);
  });

  it.each(['off', 'removeListener'] as const)('is told no more to one that left by %s', async (way) => {
    const scene = silent();
    const heard: string[] = [];
    const [one, other] = [() => heard.push('one'), () => heard.push('other')];
    scene.breaker.on('open', one).on('open', other);

    expect(scene.breaker[way]('open', one)).toBe(scene.breaker);
    expect(scene.breaker.core.events.listenedTo).toBe(true);
    await scene.fail();
    scene.breaker[way]('open', other);

    expect(heard).toEqual(['other']);
    expect(scene.breaker.core.events.listenedTo).toBe(false);
  });

  it('goes on for the other events, when those of one event leave together', async () => {
    const scene = silent();
    const heard: string[] = [];
    for (const event of ['open', 'close']) scene.breaker.on(event, () => heard.push(event));

    scene.breaker.removeAllListeners('open');
    await scene.fail();
    scene.breaker.close();
    scene.breaker.removeAllListeners();
    scene.breaker.open();

    expect(heard).toEqual(['close']);
    expect(scene.breaker.core.events.listenedTo).toBe(false);
  });

  it('is the state by the name that opossum has for it; of one that is disabled nothing', async () => {
    const scene = new BreakerScene(OPTIONS);
    const heard: unknown[][] = [];
    for (const event of ['open', 'halfOpen', 'close']) {
      scene.breaker.on(event, (...args: unknown[]) => heard.push([event, ...args]));
    }

    await scene.fail();
    await scene.clock.advance(1_010);
    scene.breaker.forceOpen();
    scene.breaker.disable();
    scene.breaker.reset();

    expect(heard).toEqual([['open'], ['halfOpen', 1_000], ['open'], ['close']]);
  });

  it('comes in time to those who listen to openings too, for a hung probe opens it again', async () => {
    const scene = new BreakerScene({ ...OPTIONS, halfOpenMaxWait: 500 }, new TestEnvironment(false));
    const heard: number[] = [];
    scene.breaker.on('open', () => heard.push(scene.clock.wallNow()));
    const begun = scene.clock.wallNow();
    await scene.fail();
    await scene.clock.advance(1_000);
    scene.begin();

    await scene.clock.advance(600);

    expect(heard.map((at) => at - begun)).toEqual([0, 1_500]);
  });

  it('comes in time to those who begin to listen while it is open', async () => {
    const scene = silent();
    const heard: number[] = [];
    await scene.fail();

    scene.breaker.on('halfOpen', (after: number) => heard.push(after));
    await scene.clock.advance(1_010);

    expect(heard).toEqual([1_000]);
  });

  it('wakes nobody for those who listen to calls alone', async () => {
    const scene = silent();
    scene.breaker.on('failure', () => {});

    await scene.fail();

    expect(scene.clock.timersMade).toBe(0);
  });

  it('is told of calls that it refuses, and of those that it would have refused with a mark', async () => {
    for (const mode of ['normal', 'metricsOnly'] as const) {
      const scene = new BreakerScene({ ...OPTIONS, mode });
      await scene.fail();
      await scene.lets();

      const [refused] = scene.environment.of('refused') as [ResilienceEvent];
      expect(refused).toEqual({
        type: 'refused',
        name: 'payments',
        policy: 'circuitBreaker',
        code: 'CIRCUIT_OPEN',
        retryAfterMs: 1_000,
        details: expect.objectContaining({ state: 'open' }) as object,
        at: scene.clock.wallNow(),
        ...(mode === 'metricsOnly' && { metricsOnly: true }),
      });
    }
  });
});

describe('what the app hears of a breaker', () => {
  it('is a change of its state with its reason, and whether somebody has ordered it', async () => {
    const scene = new BreakerScene(OPTIONS);
    await scene.fail();
    scene.breaker.close();
    const of = { type: 'stateChange', name: 'payments', policy: 'circuitBreaker', at: scene.clock.wallNow() };

    expect(scene.environment.of('stateChange')).toEqual([
      { ...of, from: 'closed', to: 'open', reason: '1 failure in a row, limit 1' },
      { ...of, from: 'open', to: 'closed', reason: 'closed by hand', byHand: true },
    ]);
  });

  it('is what was ordered, even if a listener of that throws', () => {
    const scene = new BreakerScene(OPTIONS);
    scene.breaker.on('open', () => {
      throw new Error('mine');
    });
    scene.breaker.open();

    scene.named.say('rule', { state: 'disabled', reason: 'a rule' });

    expect(scene.environment.of('stateChange').map(({ byHand }) => byHand)).toEqual([true, undefined]);
  });

  it('is told to those who watch changes alone', async () => {
    const scene = silent();
    const heard: string[] = [];
    scene.environment.events.watchChanges({ changed: ({ type }) => heard.push(type), repeated: () => {} });

    await scene.fail();
    await scene.lets();

    expect(heard).toEqual(['stateChange']);
  });

  it('is the moment at which the clock brought it about, not that at which it was found', async () => {
    const scene = new BreakerScene(OPTIONS, new TestEnvironment(false));
    const heard: number[] = [];
    scene.environment.events.watchChanges({ changed: ({ at }) => heard.push(at), repeated: () => {} });
    const begun = scene.clock.wallNow();
    await scene.fail();
    scene.clock.block(7_000);

    await scene.lets();

    expect(heard.map((at) => at - begun)).toEqual([0, 1_000, 7_000]);
  });

  it('is, of calls, what each ended as, in the order in which it happened', async () => {
    const scene = new BreakerScene({ ...OPTIONS, errorFilter: (error) => error === 'filtered' });
    await scene.succeed(1, 25);
    await scene.fail(1, 'filtered');
    const error = new Error('boom');
    await scene.fail(1, error);
    const at = scene.clock.wallNow();
    const of = { name: 'payments', policy: 'circuitBreaker', at };

    expect(scene.environment.told.slice(0, 3)).toEqual([
      { type: 'success', ...of, latencyMs: 25 },
      { type: 'ignored', ...of, reason: 'errorFilter', error: 'filtered' },
      { type: 'failure', ...of, latencyMs: 0, error },
    ]);
  });
});

describe('who watches whole calls', () => {
  /** How the attempts of `make` ended, as the watcher hears it. */
  async function outcomes(options: object, make: (scene: BreakerScene) => Promise<unknown>): Promise<string[]> {
    const scene = new BreakerScene({ ...OPTIONS, ...options }, new TestEnvironment(false));
    const heard: string[] = [];
    scene.environment.events.watchCalls({
      begun: () => ({ attemptEnded: ({ outcome }) => heard.push(outcome) }),
    });
    await make(scene);
    await settle();
    return heard;
  }
  const fire = (action: () => unknown) => (scene: BreakerScene) => scene.breaker.fire(action).catch(() => undefined);
  const fails = fire(() => Promise.reject(new Error('boom')));

  it('hears of each attempt what its breaker has made of it', async () => {
    expect(await outcomes({}, fails)).toEqual(['failure']);
    expect(await outcomes({ errorFilter: () => true }, fails)).toEqual(['ignored']);
    expect(await outcomes({ answerOn: Error }, fails)).toEqual(['client_error']);
    expect(
      await outcomes(
        { isFailure: () => true },
        fire(() => 'bad'),
      ),
    ).toEqual(['failure']);
    expect(
      await outcomes(
        {},
        fire(() => 'good'),
      ),
    ).toEqual(['success']);
  });
});
