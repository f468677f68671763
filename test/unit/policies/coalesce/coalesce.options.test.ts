import { describe, expect, it } from 'vitest';
import {
  parseCoalesce,
  resolveCoalesce,
  type CoalesceOptions,
} from '../../../../lib/policies/coalesce/coalesce.options.js';

const parse = (setting: unknown) => parseCoalesce('Client.load, @Coalesce', setting);

describe('parseCoalesce', () => {
  it('takes every option', () => {
    const options: Required<CoalesceOptions> = { key: (id: string) => id, scope: 'class' };

    expect(parse(options)).toBe(options);
  });

  it.each<[keyof CoalesceOptions, unknown[]]>([
    ['key', ['id', true, null]],
    ['scope', ['request', true, null]],
  ])('refuses a wrong %s', (option, values) => {
    for (const value of values) expect(() => parse({ [option]: value })).toThrow(`option '${option}': expected`);
  });

  it.each([undefined, null, 'id', true, () => 'id'])('refuses %s in place of options', (setting) => {
    expect(() => parse(setting)).toThrow(/^Client\.load, @Coalesce: expected an options object, got /);
  });

  it('knows no key of its own', () => {
    expect(() => resolveCoalesce('Client.load, @Coalesce', {})).toThrow(/^Client\.load, @Coalesce: .*'key'/);
  });
});
