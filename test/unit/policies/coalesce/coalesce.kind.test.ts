import { describe, expect, it } from 'vitest';
import { COALESCE } from '../../../../lib/policies/coalesce/coalesce.kind.js';
import type { Coalescing } from '../../../../lib/policies/coalesce/coalescing.js';
import { guarded, ManualWork, newCall } from '../../../support/calls.js';
import { makingAlone } from '../../../support/making.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const PLACE = 'Client.load, @Coalesce';
const key = (id: string): string => id;

/** A single flight as a plan makes it. */
function make(setting: object) {
  const environment = new TestEnvironment();
  const making = makingAlone(environment, { target: { parameterCount: 1 } });
  const options = COALESCE.resolve?.(PLACE, { ...COALESCE.defaults, ...COALESCE.parse(PLACE, setting) }) ?? {};
  const step = { place: 'coalesce' as const, name: 'loads', options, sources: {}, ruling: undefined };
  const { junction } = COALESCE.make(step, making) as { junction: Coalescing };
  const work = new ManualWork();
  const ask = (id: unknown, instance: object = {}) =>
    guarded({ coalesce: junction }, work.run)(newCall(environment, { args: [id], instance }));
  return { environment, work, ask };
}

describe('the kind of a single flight', () => {
  it('copies the options that it is given', () => {
    const options = { key };

    expect(COALESCE.parse(PLACE, options)).toEqual(options);
    expect(COALESCE.parse(PLACE, options)).not.toBe(options);
    expect(() => COALESCE.parse(PLACE, { key: 'id' })).toThrow(`${PLACE}: option 'key': expected`);
  });

  it('is of one object, where nothing else is said', () => {
    const [one, other] = [{}, {}];
    const own = make({ key });
    for (const instance of [one, other, one]) void own.ask('a', instance);
    const shared = make({ key, scope: 'class' });
    for (const instance of [one, other, one]) void shared.ask('a', instance);

    expect([own.work.begun, shared.work.begun]).toEqual([2, 1]);
  });

  it('names itself in reports', () => {
    const { environment, ask } = make({ key: () => ({}) as never });
    void ask('a');

    expect(environment.reports.map(({ place }) => place)).toEqual(['loads, key']);
  });

  it('says nothing without a key: it is skipped where none can come from, and else a mistake', () => {
    expect(COALESCE.isEmpty?.({ scope: 'class' })).toBe(true);
    expect(COALESCE.isEmpty?.({ key })).toBe(false);
    expect(() => COALESCE.resolve?.(PLACE, { scope: 'class' })).toThrow(
      `${PLACE}: nothing says which calls are equal: expected option 'key' here, in the named policy set, or in ` +
        'policies.default.coalesce; got undefined',
    );
  });

  it('leaves the key to code, and guards neither streams nor what execute() is handed', () => {
    expect(COALESCE.codeOnly).toEqual(['key']);
    expect(COALESCE.refusesStreams).toBe('a single flight');
    expect(COALESCE.methodsOnly).toContain("'coalesce' expects a method");
  });
});
