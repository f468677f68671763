import { carryOver } from '../../../decorators/carry-over.js';
import { ResilienceConfigurationError } from '../../../errors/configuration.error.js';
import { signalOf } from '../../../errors/foreign.js';
import { knownOf, recordOf } from '../../../guarded/guarded-classes.js';
import type { AnyClass } from '../../../guarded/guarded-method.js';
import { followSignal, hasAborted, reasonOf } from '../../../kernel/caller-signal.js';
import { aName, checkValue } from '../../../kernel/options/check.js';
import { refuseWithoutParentheses } from '../../../errors/without-parentheses.js';
import { warnOnce } from '../../../module/event-log/warn-once.js';
import { boardOf, waitFor } from './offer-board.js';

/** A method whose caller can do without an answer. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any arguments
type LeaderMethod = (...args: any[]) => Promise<void> | Promise<unknown>;

/** Fits where the answer may be missing. */
type MayBeMissing<M extends LeaderMethod> =
  undefined extends Awaited<ReturnType<M>>
    ? unknown
    : void extends Awaited<ReturnType<M>>
      ? unknown
      : { answer: 'may be undefined: expected Promise<void> or Promise<T | undefined>' };

type LeaderOnlyDecorator = <M extends LeaderMethod>(
  target: object,
  key: string,
  descriptor: TypedPropertyDescriptor<M> & MayBeMissing<M>,
) => void;

/**
 * Lets a method run in the one process that leads `name`, such as a cron job that must not run in every pod: in the others a
 * call gives undefined, and nothing is logged. At `@Signal()`'s place it gets a signal that aborts when the process leads no
 * more.
 *
 * Two processes may run it at once, if seldom: while one was stopped, or cut off, the next one has begun. What must not
 * happen twice is written with {@link EtcdService.leadership} as a fence. Without `ResilienceEtcdModule` there are no others,
 * and the method runs.
 *
 * @example
 * @Cron('0 3 * * *')
 * @LeaderOnly('nightly-report')
 * async report(@Signal() signal?: AbortSignal): Promise<void> { ... }
 *
 * @publicApi
 */
export function LeaderOnly(name: string): LeaderOnlyDecorator;
export function LeaderOnly(...args: unknown[]): LeaderOnlyDecorator {
  refuseWithoutParentheses("@LeaderOnly('nightly-report')", args);
  const [name] = args as [name: string];
  checkValue('@LeaderOnly', 'name', name, aName);
  return (target, key, descriptor) => {
    if (typeof target === 'function' || typeof descriptor.value !== 'function')
      throw new ResilienceConfigurationError('@LeaderOnly', 'expected on a method of instances');
    const original = descriptor.value as LeaderMethod;
    const declaring = target.constructor as AnyClass;
    recordOf(declaring).signalled.add(key);
    waitFor(target, declaring, name);
    const wrapper = async function (this: object, ...args: unknown[]): Promise<unknown> {
      const board = boardOf(this);
      if (board === undefined) {
        warnOnce(WITHOUT_MODULE);
        return original.apply(this, args);
      }
      const term = board.term(name);
      if (term === undefined) return undefined;
      const index = knownOf(declaring)?.signals.get(key);
      return term.run((signal) =>
        index === undefined
          ? original.apply(this, args)
          : withSignal(args, index, signal, (all) => original.apply(this, all)),
      );
    };
    carryOver(original, wrapper);
    descriptor.value = wrapper as never;
  };
}

/** Calls with a signal that follows both the leadership and the one that was given, if there is one. */
async function withSignal<T>(
  args: readonly unknown[],
  index: number,
  leads: AbortSignal,
  call: (args: unknown[]) => Promise<T>,
): Promise<T> {
  const both = new AbortController();
  const letGo = [leads, signalOf(args[index])].map((signal) => {
    if (hasAborted(signal)) both.abort(reasonOf(signal));
    return signal && followSignal(signal, (reason) => both.abort(reason));
  });
  try {
    const all = [...args];
    while (all.length < index) all.push(undefined);
    all[index] = both.signal;
    return await call(all);
  } finally {
    for (const one of letGo) one?.();
  }
}

const WITHOUT_MODULE =
  'A method under @LeaderOnly was called on an instance that knows no ResilienceEtcdModule: it runs, as in every process. ' +
  'Import ResilienceEtcdModule.forRoot(), and let Nest make the instance.';
