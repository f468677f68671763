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
