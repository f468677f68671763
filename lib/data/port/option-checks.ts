import { oneOfThese } from '../../errors/near-miss.js';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { describeValue } from './describe-value.js';

/** What an option may be. */
export interface OptionRule {
  /** Completes "expected ...". */
  readonly expected: string;
  accepts(value: unknown): boolean;
}

/** A rule for each option that an options object may have; one whose rule accepts undefined may be left out. */
export type OptionRules<O> = { readonly [K in keyof O]-?: OptionRule };

/**
 * Checks a backend's options.
 *
 * @param place how messages call the backend: `fileData`.
 * @throws ResilienceConfigurationError naming the place, the option, its value and what was expected.
 */
export function checkOptions<O extends object>(
  place: string,
  options: unknown,
  rules: OptionRules<O>,
): asserts options is O {
  const known = Object.keys(rules);
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ResilienceConfigurationError(
      place,
      `its options are ${describeValue(options)}; expected an object with ${known.join(', ')}`,
    );
  }
  for (const [name, value] of Object.entries(options)) {
    if (known.includes(name)) continue;
    throw new ResilienceConfigurationError(
      place,
      `unknown option '${name}' (got ${describeValue(value)}); ${oneOfThese(name, known)}`,
    );
  }
  for (const [name, rule] of Object.entries<OptionRule>(rules)) {
    const value: unknown = Reflect.get(options, name);
    if (rule.accepts(value)) continue;
    throw new ResilienceConfigurationError(
      place,
      `option '${name}' is ${describeValue(value)}; expected ${rule.expected}`,
    );
  }
}
