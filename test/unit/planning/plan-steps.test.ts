import { describe, expect, it } from 'vitest';
import { Mistakes } from '../../../lib/errors/configuration.error.js';
import { nothingDeclared } from '../../../lib/guarded/guarded-method.js';
import { planSteps, shown, type PlanMode, type PlanStep } from '../../../lib/planning/plan-steps.js';
import { PolicySets } from '../../../lib/planning/policy-sets.js';
import { NO_DEFINITIONS } from '../../../lib/planning/resolution.js';
import { Resolver } from '../../../lib/planning/resolver.js';
import { NO_RULES } from '../../../lib/planning/rule-layer.js';
import type { PlannedTarget } from '../../../lib/planning/target.js';
import type { PolicySet } from '../../../lib/policies/policy-set.js';
import { readRules } from '../../../lib/rules/read-rules.js';

const ON: PlanMode = { enabled: true, lenient: false };
const PLACE = 'Payments.charge';

interface Scene {
  readonly policies?: Readonly<Record<string, PolicySet>>;
  readonly rules?: object;
  readonly mode?: PlanMode;
  readonly target?: Partial<PlannedTarget>;
}

/** The plan of a method with one set. */
function plan(set: PolicySet, { policies = {}, rules, mode = ON, target = {} }: Scene = {}) {
  const sets = new PolicySets();
  sets.add('policies', policies);
  const layer = rules === undefined ? NO_RULES : readRules(rules).rules;
  const declared = { ...nothingDeclared(), resilient: { label: '@Resilient', set } };
  const resolution = new Resolver(sets, NO_DEFINITIONS, mode.lenient, layer).resolve(PLACE, [declared]);
  const mistakes = new Mistakes();
  const steps = planSteps({ instanceName: PLACE, kind: 'promise', ...target }, resolution, mode, mistakes);
  return { steps, mistakes };
}

const placesOf = (steps: readonly PlanStep[]): string[] => steps.map(({ place }) => place);
const stepAt = (steps: readonly PlanStep[], place: string): PlanStep | undefined =>
  steps.find((step) => step.place === place);

describe('a plan', () => {
  it('is data in the order of the pipeline, whatever the order of a set', () => {
    const { steps } = plan({
      bulkhead: 5,
      rateLimit: { limit: 5, per: 1_000 },
      circuitBreaker: true,
      hedge: { after: 50 },
      retry: 2,
      timeout: { total: 500, perAttempt: 100 },
      fallback: { value: 1 },
      recover: true,
    });

    expect(placesOf(steps)).toEqual([
      'recover',
      'fallback',
      'timeout.total',
      'retry',
      'hedge',
      'circuitBreaker',
      'rateLimit',
      'timeout.perAttempt',
      'bulkhead',
    ]);
    expect(structuredClone(shown(steps).map(({ policy, name }) => [policy, name]))).toContainEqual(['retry', PLACE]);
  });

  it('bounds attempts by the breaker where the method has no limit of its own', () => {
    const { steps } = plan({ circuitBreaker: { timeout: 700 } });

    expect(stepAt(steps, 'timeout.perAttempt')).toMatchObject({ attemptLimit: 700, lender: 'circuitBreaker' });
    expect(shown(steps)).toContainEqual({
      policy: 'timeout',
      name: PLACE,
      options: { perAttempt: 700 },
      sources: { perAttempt: 'circuitBreaker.timeout' },
    });
  });

  it.each<[string, PolicySet]>([
    ['own limit', { circuitBreaker: { timeout: 700 }, timeout: { perAttempt: false } }],
    ['policy', { circuitBreaker: { timeout: 700 }, timeout: false }],
    ["breaker's limit", { circuitBreaker: { timeout: false } }],
  ])('bounds no attempt whose %s is off, and shows no limit', (_, set) => {
    const { steps } = plan(set);

    expect(stepAt(steps, 'timeout.perAttempt')).toBeUndefined();
    expect(shown(steps).map(({ policy }) => policy)).toEqual(['circuitBreaker']);
  });

  it('shows what follows from other options, and whence', () => {
    const { steps } = plan({ rateLimit: { limit: 5, per: 1_000 } });

    expect(shown(steps)).toContainEqual(
      expect.objectContaining({ policy: 'rateLimit', sources: expect.objectContaining({ burst: 'limit' }) as unknown }),
    );
  });

  it('keeps the word of a rule apart from the options of a breaker', () => {
    const { steps } = plan(
      { name: 'payments', circuitBreaker: true },
      {
        rules: { policies: { payments: { circuitBreaker: false } } },
      },
    );

    expect(stepAt(steps, 'circuitBreaker')).toMatchObject({
      name: 'payments',
      options: { enabled: false },
      ruling: { word: { state: 'disabled' }, passesBy: false, enabled: true },
    });
  });

  it('takes out what a rule turns off, where nobody could steer it', () => {
    const { steps } = plan({ retry: 3, bulkhead: 5 }, { rules: { methods: { [PLACE]: { retry: false } } } });

    expect(placesOf(steps)).not.toContain('retry');
  });

  it('keeps what answers, and a breaker that stands aside, under the kill switch', () => {
    const { steps } = plan(
      { recover: true, retry: 2, circuitBreaker: true, bulkhead: 5 },
      { mode: { enabled: false, lenient: false } },
    );

    expect(steps.map(({ place, idle }) => [place, idle])).toEqual([
      ['recover', false],
      ['circuitBreaker', true],
    ]);
    expect(shown(steps).map(({ policy }) => policy)).toEqual(['recover']);
  });

  it('leaves out what has no value, where no module could give one', () => {
    const { steps, mistakes } = plan(
      { timeout: {}, hedge: {}, rateLimit: {}, coalesce: {}, retry: 2 },
      { mode: { enabled: true, lenient: true } },
    );

    expect(mistakes.any).toBe(false);
    expect(shown(steps).map(({ policy }) => policy)).toEqual(['retry']);
  });

  it('tells all that is missing, and plans the rest', () => {
    const { steps, mistakes } = plan({ timeout: {}, hedge: {}, rateLimit: {}, coalesce: {}, retry: 2 });

    expect(() => mistakes.throwAny(PLACE)).toThrow(/4 mistakes/);
    expect(placesOf(steps)).toEqual(['retry']);
  });

  it.each<[PolicySet, string]>([
    [{ coalesce: { key: String } }, 'a single flight'],
    [{ hedge: { after: 5 } }, 'a hedge'],
  ])('refuses %j for a stream', (set, what) => {
    const { mistakes } = plan(set, { target: { kind: 'observable' } });

    expect(() => mistakes.throwAny(PLACE)).toThrow(`${what} expects a method that gives a promise, got an Observable`);
  });

  it('hedges the stream that is the one answer to a request', () => {
    const { steps, mistakes } = plan({ hedge: { after: 5 } }, { target: { kind: 'observable', answersOnce: true } });

    expect(mistakes.any).toBe(false);
    expect(placesOf(steps)).toContain('hedge');
  });
});

describe('the budget of further attempts', () => {
  it.each<[string, PolicySet, string | undefined]>([
    ['its set', { name: 'payments', retry: 2 }, 'payments'],
    ['its breaker', { retry: 2, circuitBreaker: 'stripe' }, 'stripe'],
    ['its method', { retry: 2 }, PLACE],
  ])('has the name of %s', (_, set, name) => {
    const { steps } = plan(set, { policies: { stripe: { circuitBreaker: true } } });

    expect(stepAt(steps, 'retry')?.budget).toMatchObject({ name, declared: undefined });
  });

  it('has none where its target shares its name with others', () => {
    const { steps } = plan({ retry: { budget: { min: 5 } } }, { target: { budgets: 'own' } });

    expect(stepAt(steps, 'retry')?.budget).toMatchObject({ name: undefined, options: { min: 5 } });
  });

  it('is that of the instance, where a breaker is', () => {
    const nameOfState = (name: string): string => `${name}#2`;
    const { steps } = plan({ retry: 2, circuitBreaker: { scope: 'instance' } }, { target: { nameOfState } });

    expect(stepAt(steps, 'retry')?.budget?.name).toBe(`${PLACE}#2`);
    expect(steps.map(({ name }) => name)).toEqual([PLACE, `${PLACE}#2`, PLACE]);
  });

  it('is none where nobody wants one', () => {
    const { steps } = plan({ retry: { budget: false } });

    expect(stepAt(steps, 'retry')?.budget).toBeUndefined();
  });
});
