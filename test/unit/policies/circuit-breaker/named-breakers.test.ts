import { describe, expect, it } from 'vitest';
import type { BreakerCore } from '../../../../lib/policies/circuit-breaker/breaker-core.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { NamedBreakers } from '../../../../lib/policies/circuit-breaker/named-breakers.js';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const keyed = { key: (key: string) => key, trip: consecutiveFailures(1) };

function named(options = {}): NamedBreakers {
  return new NamedBreakers('payments', { ...CIRCUIT_BREAKER_DEFAULTS, ...options }, new TestEnvironment());
}

/** Makes one call under it that fails. */
function fail(core: BreakerCore): void {
  const since = core.environment.clock.now();
  const permit = { epoch: core.machine.epoch, since, weight: core.admit(since) };
  const error = new Error('boom');
  core.release();
  core.failed(permit, since, { latencyMs: 0, error, timedOut: false, answer: error, args: [] });
}

describe('the breakers of a name', () => {
  it('are judged without an opossum breaker, which is made when somebody asks for it', () => {
    const breakers = named(keyed);
    const core = breakers.select({ args: ['a'] });
    fail(core);
    const before = [core.machine.recorded, core.events.face];

    const breaker = breakers.breaker('a');

    expect(before).toEqual(['open', undefined]);
    expect(breaker).toMatchObject({ name: 'payments[a]', state: 'open' });
    expect(breaker?.stats).toMatchObject({ failures: 1 });
  });

  it('have the same opossum breaker each time, and it goes by the options of now', () => {
    const breakers = named();
    const breaker = breakers.breaker();

    breakers.reconfigure({ ...CIRCUIT_BREAKER_DEFAULTS, volumeThreshold: 3 });

    expect(breakers.breaker()).toBe(breaker);
    expect(breaker?.volumeThreshold).toBe(3);
    expect(breaker?.options).toMatchObject({ volumeThreshold: 3 });
  });

  it('are one for all calls, or one for each key', () => {
    const [one, many] = [named(), named(keyed)];

    expect(one.select({ args: ['a'] })).toBe(one.select({ args: ['b'] }));
    expect(many.select({ args: ['a'] })).toBe(many.select({ args: ['a'] }));
    expect(many.select({ args: ['a'] })).not.toBe(many.select({ args: ['b'] }));
    expect(many.cores().map(({ name }) => name)).toEqual(['payments[*]', 'payments[a]', 'payments[b]']);
  });

  it('are not made by asking how they are', () => {
    const breakers = named(keyed);

    breakers.fellBack({ args: ['a'] }, 'substitute', new Error('boom'));
    breakers.breaker('a');

    expect(breakers.breakers()).toEqual([]);
  });
});

describe('what is said of a breaker', () => {
  it('in other words than before is what refusals say, of its keys too', () => {
    const breakers = named(keyed);
    const core = breakers.select({ args: ['a'] });
    const told: unknown[] = [];
    for (const reason of ['the first', 'the second']) {
      breakers.say('operator', { state: 'forcedOpen', reason });
      told.push(core.refusal(core.environment.clock.now()).details?.['reason']);
    }

    expect(told).toEqual(['the first', 'the second']);
  });

  it('again, in whatever words, is no change of its state', () => {
    const breakers = named();
    const core = breakers.select({ args: [] });
    breakers.say('rule', { state: 'forcedOpen', reason: 'a rule' });
    const { epoch } = core.machine;

    breakers.say('rule', { state: 'forcedOpen', reason: 'the same rule, worded otherwise' });
    breakers.say('operator', { state: 'forcedOpen', reason: 'by hand' });

    expect(core.machine.epoch).toBe(epoch);
    expect(core).toMatchObject({ forced: true, reason: 'by hand' });
  });
});

describe('other options for the breakers of a name', () => {
  const of = (key: string) => ({ args: [key] });
  const succeed = (breakers: NamedBreakers, key: string): void => {
    const core = breakers.select(of(key));
    const since = core.environment.clock.now();
    const permit = { epoch: core.machine.epoch, since, weight: core.admit(since) };
    core.release();
    core.succeeded(permit, 100, since, 'value');
  };

  it('hold for each key, those to come too', () => {
    const breakers = named(keyed);
    breakers.select(of('a'));

    breakers.reconfigure({ ...breakers.options, trip: consecutiveFailures(2) });
    for (const key of ['a', 'b']) fail(breakers.select(of(key)));

    expect(breakers.options.trip.name).toBe('consecutiveFailures(2)');
    expect(breakers.breakers().map(({ state }) => state)).toEqual(['closed', 'closed']);
    for (const key of ['a', 'b']) fail(breakers.select(of(key)));
    expect(breakers.breakers().map(({ state }) => state)).toEqual(['open', 'open']);
  });

  it('never open the breaker of the whole name, which only counts', () => {
    const breakers = named({ ...keyed, maxKeys: 1 });
    const whole = breakers.breaker();

    breakers.reconfigure({ ...breakers.options, volumeThreshold: 1, key: (key: string) => key });
    breakers.select({ args: [{}] });
    for (let call = 0; call < 20; call++) fail(breakers.select({ args: [{}] }));

    expect([whole?.state, whole?.core.watchesOnly, whole?.stats.failures]).toEqual(['closed', true, 20]);
  });

  it('of another number of keys let more in, or fewer as those go that can', () => {
    const breakers = named({ ...keyed, maxKeys: 2 });
    for (const key of ['a', 'b']) fail(breakers.select(of(key)));
    expect(breakers.select(of('c')).name).toBe('payments[*]');

    breakers.reconfigure({ ...breakers.options, maxKeys: 3 });
    expect(breakers.select(of('c')).name).toBe('payments[c]');
    breakers.reconfigure({ ...breakers.options, maxKeys: 1 });
    expect(breakers.breakers()).toHaveLength(3);
    breakers.breaker('a')?.close();
    breakers.breaker('b')?.close();
    breakers.select(of('d'));

    expect(breakers.breakers().map(({ name }) => name)).toEqual(['payments[d]']);
  });

  it('keep what was counted, and its latencies, as long as the window is the same', () => {
    const breakers = named(keyed);
    succeed(breakers, 'a');
    const read = () => {
      const { successes, percentiles } = breakers.breaker('a')?.stats ?? {};
      return [successes, percentiles?.[1] !== 0 && percentiles?.[1] !== -1];
    };

    breakers.reconfigure({ ...breakers.options, volumeThreshold: 3 });
    expect(read()).toEqual([1, true]);
    breakers.reconfigure({ ...breakers.options, rollingPercentilesEnabled: false });
    expect(breakers.breaker('a')?.stats).toMatchObject({ successes: 1, latencyMean: -1 });
    breakers.reconfigure({ ...breakers.options, rollingPercentilesEnabled: true });
    expect(breakers.breaker('a')?.stats).toMatchObject({ successes: 1, latencyMean: 0 });
    succeed(breakers, 'a');
    expect(breakers.breaker('a')?.stats.latencyMean).toBeGreaterThan(90);
    for (const window of [{ rollingCountTimeout: 20_000 }, { rollingCountBuckets: 20 }]) {
      succeed(breakers, 'a');
      breakers.reconfigure({ ...breakers.options, ...window });
      expect(breakers.breaker('a')?.stats).toMatchObject({ successes: 0, latencyMean: 0 });
    }
  });

  it('share the latencies of all keys of the name, also with keys to come', () => {
    const breakers = named(keyed);
    succeed(breakers, 'a');
    breakers.reconfigure({ ...breakers.options, rollingCountTimeout: 20_000 });
    succeed(breakers, 'a');
    succeed(breakers, 'b');

    expect(breakers.breaker()?.stats.latencyMean).toBe(breakers.breaker('b')?.stats.latencyMean);
    expect(breakers.breaker()?.stats.latencyMean).toBeGreaterThan(90);
  });
});

describe('a breaker of a name', () => {
  const of = (key: string) => ({ args: [key] });

  it('is found by a long key as calls find it', () => {
    const breakers = named(keyed);
    const key = 'k'.repeat(600);
    breakers.select(of(key));

    expect(breakers.breaker(key)?.name).toMatch(/^payments\[sha256:/);
    expect(breakers.breaker('other')).toBeUndefined();
  });

  it('is the single one, or there is none where each key has its own', () => {
    const one = named();

    expect(one.single).toBe(one.select(of('a')));
    expect(named(keyed).single).toBeUndefined();
    expect(one.breaker('a')).toBeUndefined();
    expect(one.breakers()).toEqual([one.breaker()]);
    expect(one.cores()).toEqual([one.single]);
  });

  it('refuses calls that somebody before the rules has forced open, of the key in question', () => {
    const breakers = named(keyed);
    for (const key of ['a', 'b']) breakers.select(of(key));
    breakers.breaker('a')?.forceOpen();

    expect(breakers.forcedFor(of('a'))?.name).toBe('payments[a]');
    expect(breakers.forcedFor(of('b'))).toBeUndefined();
    breakers.say('rule', { state: 'forcedOpen', reason: 'a rule' });
    expect(breakers.forcedFor(of('b'))).toBeUndefined();
  });

  it('lets no call through as in the best of times once it was shut down', () => {
    const breakers = named();
    expect(breakers.isClosedFor(of('a'))).toBe(true);
    breakers.breaker()?.shutdown();

    expect(breakers.isClosedFor(of('a'))).toBe(false);
  });

  it('counts the answer of a fallback for the key of the call, or else for the whole name', () => {
    const breakers = named(keyed);
    breakers.select(of('a'));
    const told: unknown[][] = [];
    breakers.breaker('a')?.on('fallback', (...args: unknown[]) => told.push(args));
    const error = new Error('boom');

    for (const key of ['a', 'b']) breakers.fellBack(of(key), `for ${key}`, error);
    const one = named();
    one.fellBack(of('a'), 'answer', error);

    expect(told).toEqual([['for a', error]]);
    expect([breakers.breaker('a'), breakers.breaker(), one.breaker()].map((it) => it?.stats.fallbacks)).toEqual([
      1, 1, 1,
    ]);
  });

  it('tells a command as done by hand, and the word of a rule not', () => {
    const environment = new TestEnvironment();
    const breakers = new NamedBreakers('payments', CIRCUIT_BREAKER_DEFAULTS, environment);
    const disabled = { state: 'disabled', reason: 'elsewhere' } as const;

    breakers.say('command', disabled);
    expect(breakers.wordOf('command')).toEqual(disabled);
    breakers.say('command', undefined);
    breakers.say('rule', disabled);

    expect(environment.of('stateChange').map(({ to, byHand }) => [to, byHand])).toEqual([
      ['disabled', true],
      ['closed', true],
      ['disabled', undefined],
    ]);
  });

  it('goes by a rule from the beginning', () => {
    const environment = new TestEnvironment();
    const word = { state: 'forcedOpen', reason: 'a rule' } as const;
    const breakers = new NamedBreakers('payments', { ...CIRCUIT_BREAKER_DEFAULTS, ...keyed }, environment, word);

    expect(breakers.breaker()?.state).toBe('forcedOpen');
    expect(breakers.select(of('a')).refusal(environment.clock.now()).details).toMatchObject({ reason: 'a rule' });
    expect(environment.of('stateChange')).toEqual([]);
  });
});
