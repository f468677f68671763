import { Mistakes, ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { hasProperty } from '../../errors/foreign.js';
import { maskProperty } from '../../errors/mask-credentials.js';
import { UnknownOptionError } from '../../errors/unknown-option.error.js';
import { answersLater } from '../answers-later.js';
import { isErrorMatch } from '../error-match.js';
import { describeError } from '../error-text.js';
import { oneOfThese } from '../../errors/near-miss.js';
import { isPlainObject, show } from './show.js';

export { isPlainObject, show } from './show.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever it takes
type AnyFactory = (...args: any[]) => unknown;

/** What an option accepts; the text completes "expected ...". */
export interface Expectation {
  readonly expected: string;
  /** The highest number that it accepts; said where a higher one was given. */
  readonly most?: number;
  readonly secret?: boolean; // What was given is not shown.
  /** What makes such values: uncalled they are none, though they may be functions as the option takes them. */
  readonly factories?: readonly AnyFactory[];
  accepts(value: unknown): boolean;
}

/**
 * What a machine can carry: the highest numbers that options take. They lie far above all use; a number beyond them is a
 * slip, and would fill memory, or hold up the process, long after the start.
 */
export const MOST = {
  /** What is only counted: calls, failures, units of a limit. */
  count: 1_000_000_000,
  /** What is at work or waits at once. */
  atOnce: 1_000_000,
  /** What has a state of its own for each. */
  keys: 1_000_000,
  /** Attempts of one call. */
  attempts: 1_000_000,
  /** Attempts of one call that run beside one another. */
  hedges: 1_000,
  /** Calls whose outcomes are kept. */
  window: 1_000_000,
  /** Parts of a rolling window. */
  buckets: 10_000,
  /** What something is multiplied by. */
  factor: 1_000_000,
} as const;

/** The longest delay that Node's timers hold; a longer one would fire at once. */
export const MAX_DELAY_MS = 2 ** 31 - 1;

const isNumber = (value: unknown): value is number => typeof value === 'number';
const expectation = (expected: string, accepts: (value: unknown) => boolean): Expectation => ({ expected, accepts });

/** A number that fulfils `holds`, up to `most`. */
export const numberUpTo = (most: number, expected: string, holds: (value: number) => boolean): Expectation => ({
  expected,
  most,
  accepts: (value) => isNumber(value) && value <= most && holds(value),
});
/** A whole number from `least` to `most`. */
export const wholeNumber = (least: number, most: number): Expectation =>
  numberUpTo(most, `a whole number of at least ${least}`, (value) => Number.isSafeInteger(value) && value >= least);

export const positiveMs = expectation(
  `a number of milliseconds above 0 and at most ${MAX_DELAY_MS}`,
  (value) => isNumber(value) && value > 0 && value <= MAX_DELAY_MS,
);
export const positiveMsOrInfinity = expectation(
  `${positiveMs.expected}, or Infinity`,
  (value) => value === Infinity || positiveMs.accepts(value),
);
export const nonNegativeMs = expectation(
  `a number of milliseconds from 0 to ${MAX_DELAY_MS}`,
  (value) => isNumber(value) && value >= 0 && value <= MAX_DELAY_MS,
);
export const positiveInteger = wholeNumber(1, MOST.count);
export const nonNegativeInteger = wholeNumber(0, MOST.count);
export const percentage = expectation(
  'a number from 0 to 100',
  (value) => isNumber(value) && value >= 0 && value <= 100,
);
export const fraction = expectation('a number from 0 to 1', (value) => isNumber(value) && value >= 0 && value <= 1);
export const aBoolean = expectation('true or false', (value) => typeof value === 'boolean');
/** A callback whose answer is wanted at once. */
export const aFunction = expectation(
  'a function (not an async one)',
  (value) => typeof value === 'function' && !answersLater(value),
);
/** What gives a substitute answer, now or later. */
export const aHandler = expectation('a function', (value) => typeof value === 'function');
export const aName = expectation('a non-empty string', (value) => typeof value === 'string' && value !== '');
export const errorMatch = expectation(
  'an error class, a list of them, or a predicate (not an async one)',
  isErrorMatch,
);

export const oneOf = (...values: readonly string[]): Expectation =>
  expectation(`one of ${values.map((value) => `'${value}'`).join(', ')}`, (value) => values.includes(value as string));
export const either = (...expectations: readonly Expectation[]): Expectation => {
  const numbers = expectations.flatMap(({ most }) => most ?? []);
  const factories = expectations.flatMap((one) => one.factories ?? []);
  return {
    expected: expectations.map((one) => one.expected).join(', or '),
    ...(factories.length > 0 && { factories }),
    ...(numbers.length > 0 && { most: Math.max(...numbers) }),
    accepts: (value) => expectations.some((one) => one.accepts(value)),
  };
};
export const offOr = (other: Expectation): Expectation =>
  either(
    expectation('false', (value) => value === false),
    other,
  );

/** Every key that an options object may have. */
export type Shape<O> = { readonly [K in keyof Required<O>]: Expectation };

/**
 * Checks one options object: only known keys, each with an accepted value. `undefined` stands for an absent key.
 *
 * @param place where the options were written.
 * @param elsewhere what is there instead of an option that people know from elsewhere.
 * @throws ResilienceConfigurationError naming the place, the option, the value and what was expected, for each that is
 * wrong.
 */
export function checkOptions<O>(
  place: string,
  options: unknown,
  shape: Shape<O>,
  elsewhere: Readonly<Record<string, string>> = {},
): asserts options is O {
  if (!isPlainObject(options))
    throw new ResilienceConfigurationError(place, `expected an options object, got ${show(options)}`);
  const mistakes = new Mistakes();
  refuseInherited(place, options, Object.keys(shape), mistakes);
  for (const [key, value] of entriesOf(place, options)) {
    mistakes.in(() => {
      if (!Object.hasOwn(shape, key)) {
        const names = Object.keys(shape);
        // A guess by its letters would contradict what is known to stand in its place.
        const instead = Object.hasOwn(elsewhere, key)
          ? `: ${elsewhere[key]}; expected one of: ${names.join(', ')}`
          : `; ${oneOfThese(key, names)}`;
        const unknown = `unknown option ${show(key)} (got ${show(maskProperty(key, value))})${instead}`;
        throw new UnknownOptionError(place, key, unknown);
      }
      if (value !== undefined) checkValue(place, `option '${key}'`, value, shape[key as keyof O]);
    });
  }
  mistakes.throwAny(place);
}

/**
 * What an options object holds.
 *
 * @throws ResilienceConfigurationError where it cannot be read: a getter, or the trap of a proxy, has thrown.
 */
export function entriesOf(place: string, options: object): [string, unknown][] {
  try {
    return Object.entries(options);
  } catch (error) {
    throw new ResilienceConfigurationError(
      place,
      `expected an options object, got one that cannot be read: ${describeError(error)}`,
    );
  }
}

/** A getter of a class, or an option that stands in a prototype, would be passed over in silence. */
export function refuseInherited(place: string, options: object, names: readonly string[], mistakes: Mistakes): void {
  for (const name of names) {
    if (Object.hasOwn(options, name) || !hasProperty(options, name)) continue;
    const problem = `option '${name}' is inherited, or a getter of a class; expected a property of the object itself`;
    mistakes.add(new ResilienceConfigurationError(place, problem));
  }
}

/** @throws ResilienceConfigurationError unless `value` is accepted. */
export function checkValue(place: string, what: string, value: unknown, expectation: Expectation): void {
  if (isAccepted(value, expectation)) return;
  throw new ResilienceConfigurationError(place, `${what}: ${expectedOf(expectation, value)}`);
}

/** What was expected, and what was given. */
export function expectedOf(expectation: Expectation, value: unknown): string {
  const { expected, most = Infinity, secret = false } = expectation;
  const bound = isNumber(value) && value > most ? `; the highest is ${most}` : '';
  const call = isUncalled(expectation, value) ? `; call it: ${value.name}()` : '';
  return `expected ${expected}, got ${secret ? 'something else, which is not shown' : show(value)}${bound}${call}`;
}

function isUncalled({ factories = [] }: Expectation, value: unknown): value is AnyFactory {
  return factories.includes(value as AnyFactory);
}

/** What cannot be looked at is not accepted. */
function isAccepted(value: unknown, expectation: Expectation): boolean {
  if (isUncalled(expectation, value)) return false;
  try {
    return expectation.accepts(value);
  } catch {
    return false;
  }
}
