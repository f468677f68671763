import { isAsyncIterable, isObservableLike, isPromise, isThenable, promiseOf } from '../errors/foreign.js';
import { rejected } from '../kernel/rejection.js';
import type { PipelineCall } from './call.js';

/** What the pipeline of a stream ends with when the stream itself was the answer. */
export const STREAM_END = Symbol('stream end');

/** Runs the guarded code for one attempt. */
export type Body = (call: PipelineCall) => unknown;

/** Lets the first attempt take what the method has given already, where there is such. */
export function orEarlyResult(body: Body): Body {
  return (call) => {
    const { early } = call.origin;
    return early === undefined || early.taken ? body(call) : early.take(call);
  };
}

/** The end of a pipeline for a call that is over. */
export function bookedStage(call: PipelineCall): Promise<unknown> {
  call.begin();
  return call.origin.early?.take(call) as Promise<unknown>;
}

/** The end of a pipeline that gives one answer. */
export function promiseStage(body: Body): (call: PipelineCall) => Promise<unknown> {
  return (call) => {
    if (call.aborted) return rejected(call.reason);
    call.begin();
    let result: unknown;
    try {
      result = call.run(body);
    } catch (error) {
      return rejected(error);
    }
    // A query builder is a promise first, although some can be iterated too.
    if (isPromise(result) || isThenable(result)) return call.runs(promiseOf(result));
    const mistake = undeclaredStream(call, result);
    return mistake === undefined ? promiseOf(result) : rejected(mistake);
  };
}

/** The mistake of a method that gives a stream without having said so: it would run unguarded. */
export function undeclaredStream({ className, methodName }: PipelineCall, result: unknown): TypeError | undefined {
  const observable = isObservableLike(result);
  if (!observable && !isAsyncIterable(result)) return undefined;
  const [found, type, returns] = observable
    ? ['an Observable', 'Observable', 'observable']
    : ['an async iterable', 'AsyncIterable', 'asyncIterable'];
  return new TypeError(
    `${className}.${methodName} gave ${found}, but is guarded as a method that gives a promise: ` +
      `declare its return type (${type}<...>), or put it into the policy set as returns: '${returns}'`,
  );
}
