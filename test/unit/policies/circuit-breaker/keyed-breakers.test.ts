import { describe, expect, it } from 'vitest';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import type { CircuitBreakerOptions } from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { BreakerScene } from '../../../support/breaker-scene.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const of = (key: unknown) => ({ args: [key] });

function keyed(options: CircuitBreakerOptions = {}): BreakerScene {
  return new BreakerScene({
    key: (id: string) => id,
    maxKeys: 3,
    trip: consecutiveFailures(1),
    resetTimeout: 30_000,
    ...options,
  });
}

const keysOf = ({ named }: BreakerScene) =>
  named.breakers().map(({ name }) => name.replace(/^payments\[(.*)\]$/, '$1'));

describe('breakers by key', () => {
  it('are one for each key, by name and key', async () => {
    const scene = keyed();

    await scene.succeed(2, 0, of('a'));
    await scene.succeed(1, 0, of('b'));

    expect(scene.named.breakers().map(({ name }) => name)).toEqual(['payments[a]', 'payments[b]']);
    expect(scene.named.breaker('a')?.stats.successes).toBe(2);
    expect(scene.named.breaker('b')?.name).toBe('payments[b]');
    expect(scene.named.breaker('c')).toBeUndefined();
  });

  it('open and refuse each for itself', async () => {
    const scene = keyed();

    await scene.fail(1, new Error('x'), of('a'));

    expect(scene.named.breaker('a')?.state).toBe('open');
    expect([await scene.lets(of('a')), await scene.lets(of('b'))]).toEqual([false, true]);
    expect(scene.environment.of('refused')).toMatchObject([{ name: 'payments[a]' }]);
  });

  it('take the key from all arguments', async () => {
    const scene = keyed({ key: (region: string, id: number) => `${region}/${id}` });

    await scene.succeed(1, 0, { args: ['eu', 7] });

    expect(keysOf(scene)).toEqual(['eu/7']);
  });

  it('are not confused by keys that objects have by nature', async () => {
    const scene = keyed({ maxKeys: 10 });

    for (const key of ['__proto__', 'constructor', 'toString']) await scene.succeed(1, 0, of(key));

    expect(keysOf(scene)).toEqual(['__proto__', 'constructor', 'toString']);
  });

  it('report a key that throws, and let the call pass unjudged', async () => {
    const scene = keyed({
      key: () => {
        throw new Error('mine');
      },
    });
    await scene.fail(5);

    expect(await scene.lets()).toBe(true);
    expect(keysOf(scene)).toEqual([]);
    expect(scene.environment.reports[0]).toMatchObject({ place: 'payments, key', error: { message: 'mine' } });
  });

  describe('are maxKeys at most', () => {
    it('so the one that was not used for longest goes', async () => {
      const scene = keyed();
      for (const key of ['a', 'b', 'c']) await scene.succeed(1, 0, of(key));
      await scene.succeed(1, 0, of('a'));

      await scene.succeed(1, 0, of('d'));

      expect(keysOf(scene)).toEqual(['c', 'a', 'd']);
    });

    it('and looking at one is no use of it', async () => {
      const scene = keyed();
      for (const key of ['a', 'b', 'c']) await scene.succeed(1, 0, of(key));

      scene.named.breaker('a');
      await scene.succeed(1, 0, of('d'));

      expect(keysOf(scene)).toEqual(['b', 'c', 'd']);
    });

    it('a thousand, when nothing is said', () => {
      const scene = new BreakerScene({ key: (id: number) => String(id) });

      for (let id = 0; id < 1_005; id++) scene.named.select(of(id));

      expect(scene.named.breakers()).toHaveLength(1_000);
      expect(keysOf(scene)[0]).toBe('5');
    });

    it('an open one goes only when its reset time has passed', async () => {
      const scene = keyed();
      await scene.fail(1, new Error('x'), of('a'));
      for (const key of ['b', 'c', 'd']) await scene.succeed(1, 0, of(key));
      expect(keysOf(scene)).toContain('a');
      await scene.clock.advance(30_000);

      for (const key of ['e', 'f', 'g']) await scene.succeed(1, 0, of(key));

      expect(keysOf(scene)).toEqual(['e', 'f', 'g']);
    });

    it('one stays, while its probe runs', async () => {
      const scene = keyed();
      await scene.fail(1, new Error('x'), of('a'));
      await scene.clock.advance(30_000);
      const probe = scene.begin(of('a'));
      await scene.clock.advance(1);

      for (const key of ['b', 'c', 'd', 'e']) await scene.succeed(1, 0, of(key));

      expect(keysOf(scene)).toContain('a');
      await probe.succeed();
      expect(scene.named.breaker('a')?.state).toBe('closed');
    });

    it('one stays, that was forced open or has calls in flight', async () => {
      const scene = keyed();
      await scene.succeed(1, 0, of('forced'));
      scene.named.breaker('forced')?.forceOpen();
      const running = scene.begin(of('busy'));
      await scene.clock.advance(1);

      for (const key of ['c', 'd', 'e']) await scene.succeed(1, 0, of(key));

      expect(keysOf(scene).sort()).toEqual(['busy', 'e', 'forced']);
      await running.succeed();
    });

    it('an idle one goes, however many that are not stand before it', async () => {
      const scene = keyed({ maxKeys: 40 });
      const busy = Array.from({ length: 39 }, (_, index) => scene.begin(of(`busy ${index}`)));
      await scene.succeed(1, 0, of('idle'));

      await scene.fail(1, new Error('x'), of('new'));

      expect(keysOf(scene)).toContain('new');
      expect(keysOf(scene)).not.toContain('idle');
      for (const running of busy) await running.succeed();
    });
  });

  describe('when nothing can go', () => {
    const full = () => {
      const scene = keyed();
      const running = ['a', 'b', 'c'].map((key) => scene.begin(of(key)));
      return { scene, running };
    };

    it('let the calls of a new key pass, whatever becomes of them', async () => {
      const { scene } = full();
      await scene.clock.advance(1);

      await scene.fail(20, new Error('x'), of('new'));

      expect(await scene.lets(of('new'))).toBe(true);
      expect(keysOf(scene)).toEqual(['a', 'b', 'c']);
    });

    it('count those calls under name[*]', async () => {
      const { scene } = full();
      await scene.clock.advance(1);

      await scene.fail(3, new Error('x'), of('new'));

      expect(scene.breaker.name).toBe('payments[*]');
      expect(scene.stats).toMatchObject({ fires: 3, failures: 3 });
    });

    it('say so once a minute', async () => {
      const { scene } = full();
      await scene.clock.advance(1);

      await scene.succeed(5, 0, of('new'));
      await scene.clock.advance(59_999);
      await scene.succeed(5, 0, of('newer'));
      expect(scene.environment.of('keysExhausted')).toMatchObject([{ name: 'payments[*]', maxKeys: 3 }]);
      await scene.clock.advance(1);
      await scene.succeed(5, 0, of('newest'));

      expect(scene.environment.of('keysExhausted')).toHaveLength(2);
    });

    it('take new keys again, when one is idle', async () => {
      const { scene, running } = full();
      await scene.clock.advance(1);
      await scene.succeed(1, 0, of('new'));

      await running[1]?.succeed();
      await scene.succeed(1, 0, of('new'));

      expect(keysOf(scene).sort()).toEqual(['a', 'c', 'new']);
    });

    it('take new keys again, when one of those that are kept is closed by hand', async () => {
      const scene = keyed();
      for (const key of ['a', 'b', 'c']) {
        await scene.succeed(1, 0, of(key));
        scene.named.breaker(key)?.forceOpen();
      }
      await scene.succeed(1, 0, of('new'));
      expect(keysOf(scene)).not.toContain('new');

      scene.named.breaker('b')?.close();
      await scene.succeed(1, 0, of('new'));

      expect(keysOf(scene)).toEqual(['a', 'c', 'new']);
    });

    it('take new keys again, when the reset time of one has passed', async () => {
      const scene = keyed();
      for (const key of ['a', 'b', 'c']) {
        await scene.fail(1, new Error('x'), of(key));
        await scene.clock.advance(1_000);
      }
      await scene.succeed(1, 0, of('new'));
      await scene.clock.advance(26_999);
      await scene.succeed(1, 0, of('new'));
      expect(keysOf(scene)).not.toContain('new');
      await scene.clock.advance(1);

      await scene.succeed(1, 0, of('new'));

      expect(keysOf(scene)).toEqual(['b', 'c', 'new']);
    });
  });

  it('forget nothing of another key, when one is closed by hand', async () => {
    const scene = keyed();
    await scene.succeed(3, 200, of('a'));
    await scene.succeed(1, 200, of('b'));

    scene.named.breaker('b')?.close();

    expect(scene.named.breaker('a')?.stats.successes).toBe(3);
    expect(scene.named.breaker('a')?.stats.percentiles[1]).toBeGreaterThan(150);
  });

  it('look for one that can go no more often than one may', async () => {
    const scene = keyed();
    for (const key of ['a', 'b', 'c']) await scene.fail(1, new Error('x'), of(key));
    const { core } = scene.named.breaker('a') ?? {};
    let looked = 0;
    const ownAt = core?.machine.ownAt.bind(core.machine);
    Object.assign(core?.machine ?? {}, { ownAt: (now: number) => (looked++, ownAt?.(now)) });

    await scene.succeed(50, 0, of('new'));
    expect(looked).toBe(1);
    await scene.clock.advance(30_000);
    await scene.succeed(1, 0, of('new'));

    expect([looked, keysOf(scene)]).toEqual([2, ['b', 'c', 'new']]);
  });

  it('take new keys again as soon as the first reset time is over, though nobody listens', async () => {
    const { options } = keyed().named;
    const scene = new BreakerScene(options, new TestEnvironment(false));
    for (const key of ['a', 'b', 'c']) {
      await scene.fail(1, new Error('x'), of(key));
      scene.clock.block(1_000);
    }
    scene.named.select(of('new'));
    scene.clock.block(26_999);
    scene.named.select(of('new'));
    const before = keysOf(scene);
    scene.clock.block(1);

    scene.named.select(of('new'));

    expect([before, keysOf(scene)]).toEqual([
      ['a', 'b', 'c'],
      ['b', 'c', 'new'],
    ]);
  });

  it('take new keys again, when an operator lets go of one without a change of its state', () => {
    const scene = keyed();
    scene.named.say('rule', { state: 'disabled', reason: 'a rule' });
    for (const key of ['a', 'b', 'c']) {
      scene.named.select(of(key));
      scene.named.breaker(key)?.disable();
    }
    scene.named.select(of('new'));
    expect(keysOf(scene)).toEqual(['a', 'b', 'c']);

    scene.named.breaker('b')?.enable();
    scene.named.select(of('new'));

    expect(keysOf(scene)).toEqual(['a', 'c', 'new']);
  });

  it('that go are followed by no timer any more', async () => {
    const scene = keyed({ maxKeys: 1, halfOpenMaxWait: 1_000 });
    const ended: string[] = [];
    await scene.succeed(1, 0, of('a'));
    scene.named.breaker('a')?.core.whenRetired(() => ended.push('a'));

    await scene.succeed(1, 0, of('b'));

    expect(ended).toEqual(['a']);
  });

  it('take new keys again, when a rule is taken back that had opened them all', async () => {
    const scene = keyed();
    const word = { state: 'forcedOpen', reason: 'by hand' } as const;
    for (const key of ['a', 'b', 'c']) {
      await scene.succeed(1, 0, of(key));
      scene.named.breaker(key)?.core.say('operator', word);
    }
    await scene.succeed(1, 0, of('new'));
    for (const key of ['a', 'b', 'c']) scene.named.breaker(key)?.core.steering.control.say('operator', undefined);

    scene.named.say('rule', { state: 'normal', reason: 'a rule' });
    await scene.succeed(1, 0, of('new'));

    expect(keysOf(scene)).toEqual(['b', 'c', 'new']);
  });

  it('keep one that was shut down, however long it was not used', async () => {
    const scene = keyed();
    await scene.succeed(1, 0, of('ended'));
    scene.named.breaker('ended')?.shutdown();

    for (const key of ['b', 'c', 'd', 'e']) await scene.succeed(1, 0, of(key));

    expect(keysOf(scene)).toEqual(['ended', 'd', 'e']);
    expect(await scene.lets(of('ended'))).toBe(false);
  });
});
