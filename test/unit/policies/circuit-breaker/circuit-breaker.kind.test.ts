import { describe, expect, it } from 'vitest';
import { Loss } from '../../../../lib/kernel/loss.js';
import type { Making } from '../../../../lib/kernel/making.js';
import type { Rule, Ruling } from '../../../../lib/kernel/ruling.js';
import { CIRCUIT_BREAKER, CIRCUIT_BREAKERS } from '../../../../lib/policies/circuit-breaker/circuit-breaker.kind.js';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  type CircuitBreakerOptions,
} from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { NamedBreakers } from '../../../../lib/policies/circuit-breaker/named-breakers.js';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { BreakerScene } from '../../../support/breaker-scene.js';
import { newCall } from '../../../support/calls.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const once = consecutiveFailures(1);
const rule = (options: Rule['options'], path = 'policies.payments'): Rule => ({ path, options });
const ruled = (word: Ruling['word'], passesBy = false): Ruling => ({ word, passesBy, enabled: true });
const disabledBy = (path: string) => ({ state: 'disabled' as const, reason: `disabled by the rule ${path}` });

describe('what rules say of a breaker', () => {
  const rulingOf = (name: string | undefined, ofName?: Rule, ofMethod?: Rule, enabled = true) =>
    CIRCUIT_BREAKER.ruling?.(name, ofName, ofMethod, enabled);

  it('is nothing without a rule, and then its own options stand', () => {
    expect(rulingOf('payments')).toEqual({ word: undefined, passesBy: false, enabled: true });
    expect(rulingOf(undefined, undefined, undefined, false)).toEqual({
      word: undefined,
      passesBy: false,
      enabled: false,
    });
  });

  it('is, of one with a name, what the rule of the name says', () => {
    expect(rulingOf('payments', rule(false))?.word).toEqual(disabledBy('policies.payments'));
    expect(rulingOf('payments', rule({ enabled: false }))?.word).toEqual(disabledBy('policies.payments'));
    expect(rulingOf('payments', rule({ enabled: true }))?.word).toEqual({
      state: 'normal',
      reason: 'enabled by the rule policies.payments',
    });
    expect(rulingOf('payments', rule({ volumeThreshold: 3 }))?.word).toBeUndefined();
  });

  it('is, of one without a name, what the rule of the method says', () => {
    const [ofName, ofMethod] = [rule({ enabled: true }), rule(false, 'methods.Client.load')];

    expect(rulingOf(undefined, ofName, ofMethod)).toEqual({
      word: disabledBy('methods.Client.load'),
      passesBy: false,
      enabled: true,
    });
  });

  it('takes one method off a breaker that others share, and leaves the breaker alone', () => {
    expect(rulingOf('payments', undefined, rule(false, 'methods.Client.load'))).toEqual({
      word: undefined,
      passesBy: true,
      enabled: true,
    });
    expect(rulingOf('payments', undefined, rule({ enabled: false }, 'methods.Client.load'))).toMatchObject({
      word: undefined,
      passesBy: false,
    });
  });
});

describe('a breaker that is made for a plan', () => {
  function made(ruling?: Ruling) {
    const breakers = new NamedBreakers('payments', CIRCUIT_BREAKER_DEFAULTS, new TestEnvironment());
    const asked: unknown[] = [];
    const making = { state: (kind: unknown) => (asked.push(kind), breakers) } as unknown as Making;
    const step = {
      place: 'circuitBreaker' as const,
      options: { ...CIRCUIT_BREAKER_DEFAULTS },
      sources: {},
      name: 'payments',
      ruling,
    };
    const policy = CIRCUIT_BREAKER.make(step, making);
    return { breakers, asked, made: policy, guard: 'guard' in policy ? policy.guard : undefined };
  }

  it.each([undefined, ruled(undefined)])(
    'guards by the breakers of its name, which also judge and hear of fallbacks',
    (ruling) => {
      const { breakers, asked, made: policy, guard } = made(ruling);
      breakers.breaker()?.open();

      expect(asked).toEqual([CIRCUIT_BREAKERS]);
      expect([policy.judge, policy.witness]).toEqual([breakers, breakers]);
      expect(guard?.admit(newCall(breakers.select({ args: [] }).environment))).toMatchObject({
        error: { code: 'CIRCUIT_OPEN' },
      });
    },
  );

  it('lets calls pass an open breaker where a rule has taken it off the method, and hears of no fallback', () => {
    const { breakers, made: policy, guard } = made(ruled(undefined, true));
    const { environment } = breakers.select({ args: [] });
    breakers.breaker()?.open();

    expect(guard?.admit(newCall(environment))).toBeUndefined();
    expect(policy.judge?.isClosedFor({ args: [] })).toBe(true);
    expect(policy.witness).toBeUndefined();
    breakers.breaker()?.forceOpen('maintenance');
    expect(policy.judge?.isClosedFor({ args: [] })).toBe(false);
    expect(guard?.admit(newCall(environment))).toMatchObject({
      waits: false,
      error: { code: 'CIRCUIT_OPEN', details: { state: 'forcedOpen', reason: 'maintenance' } },
    });
    expect([guard?.holds, breakers.breaker()?.stats.fires]).toEqual([false, 0]);
  });
});

describe('the setting of a breaker', () => {
  it('is checked, and given as options of its own', () => {
    const setting = { volumeThreshold: 3 };

    const options = CIRCUIT_BREAKER.parse('Client.load, @CircuitBreaker', setting);

    expect(options).toEqual(setting);
    expect(options).not.toBe(setting);
    expect(CIRCUIT_BREAKER.parse('Client.load, @CircuitBreaker', true)).toEqual({});
    expect(() => CIRCUIT_BREAKER.parse('Client.load, @CircuitBreaker', { volumeThreshold: -1 })).toThrow(
      "Client.load, @CircuitBreaker: option 'volumeThreshold': expected",
    );
  });
});

describe('the breakers of a name, as the state of a policy', () => {
  const create = (ruling?: Ruling, options: CircuitBreakerOptions = {}) => {
    const environment = new TestEnvironment();
    return CIRCUIT_BREAKERS.create(
      'payments',
      { ...CIRCUIT_BREAKER_DEFAULTS, trip: once, ...options },
      environment,
      ruling,
    );
  };

  it('begin with the word of the rules', () => {
    expect(create().breaker()?.state).toBe('closed');
    expect(create(ruled(disabledBy('policies.payments'))).breaker()?.state).toBe('disabled');
    expect(create(ruled(undefined), { enabled: false }).breaker()?.state).toBe('disabled');
  });

  it('take on, and back, what the rules say now', () => {
    const known = create();
    const disabled = create(ruled(disabledBy('policies.payments')));

    CIRCUIT_BREAKERS.follow?.(known, disabled);
    expect(known.breaker()?.state).toBe('disabled');
    CIRCUIT_BREAKERS.follow?.(known, create());

    expect(known.breaker()?.state).toBe('closed');
  });

  it('are the same for two definitions whatever rules say of `enabled`, if code says the same', () => {
    const ruling = { ...ruled(disabledBy('policies.payments')), enabled: true };

    expect(CIRCUIT_BREAKERS.optionsOf?.({ enabled: false, volumeThreshold: 3 }, ruling)).toEqual({
      enabled: true,
      volumeThreshold: 3,
    });
    expect(CIRCUIT_BREAKERS.optionsOf?.({ enabled: false }, undefined)).toEqual({ enabled: false });
  });

  it('are told when nobody uses them any more', () => {
    const breakers = create(undefined, { key: (key: string) => key });
    const ended: string[] = [];
    breakers.select({ args: ['a'] });
    for (const core of breakers.cores()) core.whenRetired(() => ended.push(core.name));

    CIRCUIT_BREAKERS.retire?.(breakers);

    expect(ended).toEqual(['payments[*]', 'payments[a]']);
  });

  describe('would be lost', () => {
    const lossOf = ({ named, clock }: BreakerScene) => CIRCUIT_BREAKERS.lossWith(named, clock.now());

    it('without a loss while they are closed and idle, or again after the reset time', async () => {
      const scene = new BreakerScene({ trip: once });
      expect(lossOf(scene)).toBe(Loss.Nothing);
      await scene.fail();
      expect(lossOf(scene)).toBe(Loss.Memory);
      scene.clock.block(30_000);

      expect(lossOf(scene)).toBe(Loss.Nothing);
    });

    it('with work while a call runs', async () => {
      const scene = new BreakerScene();
      const running = scene.begin();
      expect(lossOf(scene)).toBe(Loss.Work);
      await running.succeed();

      expect(lossOf(scene)).toBe(Loss.Nothing);
    });

    it.each(['operator', 'command'] as const)('with the word of an %s', (source) => {
      const scene = new BreakerScene();

      scene.named.say(source, { state: 'disabled', reason: 'by ann' });

      expect(lossOf(scene)).toBe(Loss.Work);
    });

    it('without a loss of what a rule or the options say, which a new one hears as well', () => {
      const scene = new BreakerScene({ enabled: false });

      scene.named.say('rule', { state: 'forcedOpen', reason: 'a rule' });

      expect(lossOf(scene)).toBe(Loss.Nothing);
    });

    it('with as much as with the most valuable of their keys', async () => {
      const scene = new BreakerScene({ trip: once, key: (key: string) => key });
      await scene.succeed(1, 0, { args: ['good'] });
      await scene.fail(1, new Error('boom'), { args: ['bad'] });
      await scene.succeed(1, 0, { args: ['better'] });

      expect(lossOf(scene)).toBe(Loss.Memory);
    });
  });
});
