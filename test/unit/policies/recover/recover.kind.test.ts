import { NotFoundException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import type { Making } from '../../../../lib/kernel/making.js';
import { RECOVER } from '../../../../lib/policies/recover/recover.kind.js';
import type { RecoverDecision } from '../../../../lib/policies/recover/recover.decision.js';
import { underDecision } from '../../../support/calls.js';
import { makingAlone } from '../../../support/making.js';
import { errorOf } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const PLACE = 'Client.load, @Recover';
const boom = new Error('boom');
const handler = (): string => 'sorry';

/** What is recovered as a plan makes it of its setting. */
function make(setting: unknown, more: Partial<Making['target']> = {}) {
  const environment = new TestEnvironment();
  const making = makingAlone(environment, { target: { parameterCount: 2, ...more } });
  const options = { ...RECOVER.defaults, ...RECOVER.parse(PLACE, setting) };
  const step = { place: 'recover' as const, name: 'Client.load', options, sources: {}, ruling: undefined };
  const { decision } = RECOVER.make(step, making) as { decision: RecoverDecision };
  const instance = { sorry: (...given: unknown[]) => given };
  return { environment, decision, ...underDecision(decision, environment, { args: ['a'], instance }) };
}

describe('the kind of what recovers', () => {
  it('copies the options that it is given', () => {
    const options = { value: 1 };

    expect(RECOVER.parse(PLACE, options)).toEqual(options);
    expect(RECOVER.parse(PLACE, options)).not.toBe(options);
    expect(RECOVER.parse(PLACE, true)).toEqual({});
    expect(() => RECOVER.parse(PLACE, 5)).toThrow(`${PLACE}: expected`);
  });

  it('gives undefined, and logs, where nothing else is said', async () => {
    const { environment, executeWith } = make(true);

    expect(await executeWith(boom)).toBeUndefined();
    expect(environment.recoveries).toEqual([{ place: 'Client.load', error: boom }]);
  });

  it('may answer with a stream in place of one', () => {
    expect(make({ use: 'sorry' }).decision.answers).toBe(true);
  });

  it('knows how many parameters the method has, and whether it answers HTTP', async () => {
    expect(await make({ use: 'sorry' }).executeWith(boom)).toEqual(['a', undefined, boom]);
    const notFound = new NotFoundException();

    expect(await errorOf(make({ value: 1 }, { http: true }).executeWith(notFound))).toBe(notFound);
    expect(await make({ value: 1 }).executeWith(notFound)).toBe(1);
  });

  it('names the method or the handler that answers', () => {
    expect(RECOVER.uses?.inSetting('sorry')).toEqual(['sorry']);
    expect(RECOVER.uses?.inSetting({ use: handler })).toEqual([handler]);
    expect(RECOVER.uses?.inOptions({ use: handler })).toEqual([handler]);
    expect(RECOVER.uses?.inOptions({})).toEqual([undefined]);
  });

  it('may be said by a rule: true, or options that are no code', () => {
    expect(RECOVER.shortRule?.expected).toBe('true, { value, log }, or false');
    expect(RECOVER.shortRule?.accepts(true)).toBe(true);
    for (const setting of [handler, 'sorry', 1]) expect(RECOVER.shortRule?.accepts(setting)).toBe(false);
    expect(RECOVER.codeOnly).toEqual(['use', 'on']);
  });

  it('lets a value and a handler take the place of each other', () => {
    expect(RECOVER.alternatives).toEqual(['use', 'value']);
  });

  it('has no name under which others find it, and works under the kill switch', () => {
    expect(RECOVER).toMatchObject({ nameable: false, underKillSwitch: 'works' });
  });
});
