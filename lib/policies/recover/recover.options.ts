import type { ErrorMatch } from '../../kernel/error-match.js';
import type { Handler } from '../../kernel/answer.js';
import {
  aBoolean,
  aHandler,
  aName,
  checkOptions,
  either,
  errorMatch,
  type Expectation,
} from '../../kernel/options/check.js';

/**
 * What stands in when everything else has failed.
 *
 * @publicApi
 */
export interface RecoverOptions<T = unknown, N extends string = string> {
  /** The name of a method, called as `this.name(...args, error)`; or a handler. @default the answer is `value` */
  use?: N | Handler<T>;
  /** The answer where there is no handler. @default undefined */
  value?: unknown;
  /** The errors that it catches. @default all; on an HTTP handler all but an HttpException below 500 */
  on?: ErrorMatch;
  /** Whether the error is logged with its stack through Nest's logger. @default true */
  log?: boolean;
}

export type RecoverSetting<T = unknown, N extends string = string> = true | Handler<T> | RecoverOptions<T, N>;

const anything: Expectation = { expected: 'anything', accepts: () => true };

/** @throws ResilienceConfigurationError */
export function parseRecover(place: string, setting: unknown): RecoverOptions {
  if (setting === true) return {};
  if (typeof setting === 'function') return { use: setting as Handler };
  checkOptions<RecoverOptions>(place, setting, {
    use: either(aName, aHandler),
    value: anything,
    on: errorMatch,
    log: aBoolean,
  });
  return setting;
}
