import { describe, expect, it } from 'vitest';
import { callOf } from '../../../../lib/kernel/call.js';
import type { MethodKind } from '../../../../lib/kernel/method-kind.js';
import type { Witness } from '../../../../lib/kernel/making.js';
import { FALLBACK, remembersLastGood } from '../../../../lib/policies/fallback/fallback.kind.js';
import type { FallbackDecision } from '../../../../lib/policies/fallback/fallback.decision.js';
import { method, newCall, underDecision } from '../../../support/calls.js';
import { makingAlone } from '../../../support/making.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const PLACE = 'Rates.current, @Fallback';
const boom = new Error('boom');
const lastGood = { key: (currency: string): string => currency, maxAge: 60_000 };

interface Asked {
  kind?: MethodKind;
  environment?: TestEnvironment;
  witness?: Witness;
  parameterCount?: number;
}

/** A fallback as a plan makes it of its setting. */
function make(setting: unknown, asked: Asked = {}) {
  const { kind, environment = new TestEnvironment(), witness, parameterCount = 0 } = asked;
  const making = makingAlone(environment, { target: { instanceName: 'Rates.current', kind, parameterCount }, witness });
  const options = FALLBACK.resolve?.(PLACE, FALLBACK.parse(PLACE, setting)) ?? {};
  const step = { place: 'fallback' as const, name: 'rates', options, sources: {}, ruling: undefined };
  const { decision } = FALLBACK.make(step, making) as { decision: FallbackDecision };
  const call = (...args: unknown[]) => underDecision(decision, environment, { args });
  return { environment, decision, call };
}

describe('the kind of a fallback', () => {
  it('keeps what was declared as one list', () => {
    expect(FALLBACK.parse(PLACE, { value: 1 })).toEqual({ fallbacks: [{ value: 1 }] });
    expect(FALLBACK.parse(PLACE, ['cached', { value: 1 }])).toEqual({ fallbacks: [{ use: 'cached' }, { value: 1 }] });
    expect(() => FALLBACK.parse(PLACE, 5)).toThrow(`${PLACE}: expected a method name`);
  });

  it('has no value of its own', () => {
    const options = { fallbacks: [{ value: 1 }] };

    expect(FALLBACK.resolve?.(PLACE, options)).toBe(options);
    expect(() => FALLBACK.resolve?.(PLACE, {})).toThrow(
      `${PLACE}: a fallback has no built-in value: expected one here, or in policies.default.fallback; got undefined`,
    );
  });

  it('may be a value in a rule, and nothing that is code', () => {
    expect(FALLBACK.shortRule?.expected).toBe('{ value }, or false');
    for (const setting of ['cached', true, () => 1, ['cached']])
      expect(FALLBACK.shortRule?.accepts(setting)).toBe(false);
    expect(FALLBACK.codeOnly).toEqual(['use', 'lastGood', 'on', 'skipOn']);
  });

  it('has no name under which others find it, and works under the kill switch', () => {
    expect(FALLBACK).toMatchObject({ nameable: false, underKillSwitch: 'works' });
  });

  it('names the methods and handlers that answer', () => {
    const handler = () => 1;
    const setting = ['cached', { use: handler }, { value: 1 }];

    expect(FALLBACK.uses?.inSetting(setting)).toEqual(['cached', handler, undefined]);
    expect(FALLBACK.uses?.inOptions(FALLBACK.parse(PLACE, setting))).toEqual(['cached', handler, undefined]);
    expect(FALLBACK.uses?.inOptions({})).toEqual([]);
  });

  it('says whether an answer may be an old one', () => {
    expect(remembersLastGood(FALLBACK.parse(PLACE, ['cached', { lastGood }]))).toBe(true);
    expect(remembersLastGood(FALLBACK.parse(PLACE, 'cached'))).toBe(false);
    expect(remembersLastGood({})).toBe(false);
  });

  it('answers under its name, after every parameter of the method', async () => {
    const instance = { cached: (...given: unknown[]) => given };
    const { environment, decision } = make('cached', { parameterCount: 2 });
    const { executeWith } = underDecision(decision, environment, { args: ['eur'], instance });

    expect(await executeWith(boom)).toEqual(['eur', undefined, boom]);
    expect(environment.told).toMatchObject([{ type: 'fallback', name: 'rates', policy: 'fallback' }]);
  });

  it('may answer with a stream in place of one', () => {
    expect(make('cached').decision.answers).toBe(true);
  });

  it('tells the breaker of its plan what it has answered with', async () => {
    const told: unknown[][] = [];
    const witness: Witness = { fellBack: ({ args }, ...rest) => void told.push([args, ...rest]) };
    await make({ value: 7 }, { witness }).call('eur').executeWith(boom);

    expect(told).toEqual([[['eur'], 7, boom]]);
  });

  describe('by last good answers', () => {
    const given = (value: unknown) => method(() => value);

    it.each<MethodKind>(['promise', 'observable'])('may guard a method of kind %s', (kind) => {
      expect(make({ lastGood }, { kind }).decision.gave).toBeDefined();
    });

    it.each<MethodKind>(['asyncIterable', 'sync'])('cannot guard a method of kind %s, which others can', (kind) => {
      expect(() => make([{ value: 1 }, { lastGood }], { kind })).toThrow(
        `Rates.current, fallback: option 'lastGood': expected a method that gives a promise, or an Observable with one ` +
          `item, got one of kind '${kind}'`,
      );
      expect(make({ value: 1 }, { kind }).decision.gave).toBeUndefined();
    });

    it('keeps apart what the fallbacks of a list remember, each under its place in the list', async () => {
      const environment = new TestEnvironment();
      const by = (key: string) => ({ lastGood: { ...lastGood, key: () => key } });
      const rest = { value: 'none' };
      await make([by('one'), by('two')], { environment })
        .call()
        .run(given(7));
      const answerOf = (setting: unknown) => make(setting, { environment }).call().executeWith(boom);

      expect(await answerOf([by('one'), rest])).toBe(7);
      expect(await answerOf([by('two'), rest])).toBe('none');
      expect(await answerOf([{ value: 'never', on: TypeError }, by('one'), rest])).toBe('none');
      expect(await answerOf([{ value: 'never', on: TypeError }, by('two'), rest])).toBe(7);
    });

    it('keeps them in a store under the method, and under the place in the list from the second on', async () => {
      const keys: string[] = [];
      const store = { get: async () => undefined, put: async (key: string) => void keys.push(key) };
      const stored = { lastGood: { ...lastGood, store } };
      await make([stored, stored]).call('eur').run(given(7));

      expect(keys).toEqual(['last-good/Rates.current/eur', 'last-good/Rates.current [1]/eur']);
    });

    it('remembers the only item of an Observable', async () => {
      const { environment, decision, call } = make({ lastGood }, { kind: 'observable' });
      const stream = callOf(newCall(environment, { args: ['eur'] }));
      decision.item?.(stream, 7);
      decision.gave?.(stream, undefined);

      expect(await call('eur').executeWith(boom)).toBe(7);
      expect(environment.reports).toEqual([]);
    });

    it('reports an Observable of several items, and remembers nothing of it', async () => {
      const { environment, decision, call } = make({ value: 'none' }, { kind: 'observable' });
      expect(decision.item).toBeUndefined();
      const remembering = make([{ lastGood }, { value: 'none' }], { kind: 'observable', environment });
      const stream = callOf(newCall(environment, { args: ['eur'] }));
      for (const item of [1, 2, 3]) remembering.decision.item?.(stream, item);
      remembering.decision.gave?.(stream, undefined);

      expect(await remembering.call('eur').executeWith(boom)).toBe('none');
      expect(await call('eur').executeWith(boom)).toBe('none');
      expect(environment.reports).toEqual([
        {
          place: 'Rates.current, lastGood',
          error: new Error('expected an Observable with one item, got more: of such streams nothing is remembered'),
        },
      ]);
    });

    it('listens to no items where the method gives no Observable', () => {
      expect(make({ lastGood }, { kind: 'promise' }).decision.item).toBeUndefined();
    });
  });
});
