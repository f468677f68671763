import type { CallInfo } from './call-info.js';

/**
 * Gives a substitute answer.
 *
 * @publicApi
 */
export type Handler<T = unknown> = (error: unknown, call: CallInfo<T>) => unknown;

/** Gives a substitute answer for a call that ended with `error`. */
export type Answer = (error: unknown, call: CallInfo) => unknown;

/**
 * Turns what was declared into one function.
 *
 * @param parameterCount how many parameters the guarded method declares: the error comes after them, so that it never
 * lands in an optional one that the caller left out.
 */
export function toAnswer(declared: { use?: string | Handler; value?: unknown }, parameterCount: number): Answer {
  const { use, value } = declared;
  if (typeof use === 'function') return (error, call) => use(error, call);
  if (use === undefined) return () => value;
  return (error, call) => {
    const { instance, args } = call as {
      instance: Record<string, (...all: unknown[]) => unknown>;
      args: readonly unknown[];
    };
    const padding = new Array<unknown>(Math.max(0, parameterCount - args.length)).fill(undefined);
    return instance[use]?.(...args, ...padding, error);
  };
}
