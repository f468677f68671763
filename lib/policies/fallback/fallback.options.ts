import type { Handler } from '../../kernel/answer.js';
import type { ErrorMatch } from '../../kernel/error-match.js';
import {
  aHandler,
  aName,
  checkOptions,
  either,
  errorMatch,
  isPlainObject,
  show,
  type Expectation,
} from '../../kernel/options/check.js';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { FALLBACK_OPTIONS_ELSEWHERE } from './foreign-options.js';
import { checkLastGood, lastGoodOptions, type LastGoodOptions } from './last-good.options.js';

interface FallbackRules {
  /** The errors that it answers. @default every failure and refusal */
  on?: ErrorMatch;
  /** Errors that it leaves alone although `on` names them. @default none */
  skipOn?: ErrorMatch;
}

/** A fallback by a method of the same object, or by a handler. */
export interface FallbackUse<T = unknown, N extends string = string> extends FallbackRules {
  /** The name of a method, called as `this.name(...args, error)`; or a handler. */
  use: N | Handler<T>;
}

/** A fallback by a value. */
export interface FallbackValue extends FallbackRules {
  value: unknown;
}

/** A fallback by the last answer of the same key. Where there is none, or it is too old, the next of the list answers. */
export interface FallbackLastGood extends FallbackRules {
  lastGood: LastGoodOptions;
}

export type FallbackOptions<T = unknown, N extends string = string> =
  FallbackUse<T, N> | FallbackValue | FallbackLastGood;

/** The forms in which a fallback is given; the first of a list whose `on` holds answers. */
export type FallbackSetting<T = unknown, N extends string = string> =
  N | Handler<T> | FallbackOptions<T, N> | readonly (N | Handler<T> | FallbackOptions<T, N>)[];

/** One substitute answer as it was declared. */
export interface DeclaredFallback {
  readonly use?: string | Handler;
  readonly value?: unknown;
  readonly lastGood?: LastGoodOptions | undefined;
  readonly on?: ErrorMatch | undefined;
  readonly skipOn?: ErrorMatch | undefined;
}

const anything: Expectation = { expected: 'anything', accepts: () => true };

/** @throws ResilienceConfigurationError */
export function parseFallback(place: string, setting: unknown): readonly DeclaredFallback[] {
  if (Array.isArray(setting)) {
    if (setting.length === 0)
      throw new ResilienceConfigurationError(place, 'expected at least one fallback, got an empty list');
    return setting.map((one: unknown, index) => parseOne(`${place} [${index}]`, one));
  }
  return [parseOne(place, setting)];
}

function parseOne(place: string, setting: unknown): DeclaredFallback {
  if (typeof setting === 'function') return { use: setting as Handler };
  if (typeof setting === 'string' && setting !== '') return { use: setting };
  if (!isPlainObject(setting)) {
    throw new ResilienceConfigurationError(
      place,
      `expected a method name, a handler, { use } or { value }, got ${show(setting)}`,
    );
  }
  checkOptions<DeclaredFallback>(
    place,
    setting,
    {
      use: either(aName, aHandler),
      value: anything,
      on: errorMatch,
      skipOn: errorMatch,
      lastGood: lastGoodOptions,
    },
    FALLBACK_OPTIONS_ELSEWHERE,
  );
  const { lastGood } = setting;
  if (lastGood !== undefined) checkLastGood(`${place}, lastGood`, lastGood);
  const ways = [setting.use !== undefined, 'value' in setting, lastGood !== undefined];
  if (ways.filter(Boolean).length !== 1) {
    const expected = lastGood === undefined ? "either 'use' or 'value'" : "one of 'use', 'value' and 'lastGood'";
    throw new ResilienceConfigurationError(place, `expected ${expected}, got ${show(setting)}`);
  }
  return setting;
}
