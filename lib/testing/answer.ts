import { defer, from, isObservable, mergeMap, of } from 'rxjs';
import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import { isAsyncIterable, isThenable } from '../errors/foreign.js';
import type { MethodKind } from '../kernel/method-kind.js';

/** What stands in for one attempt. */
export interface Course {
  /** Ends when the time is over; rejects when the attempt is cut. Undefined: nothing is waited for. */
  readonly wait: (() => Promise<void>) | undefined;
  /** What is given then, or thrown. */
  readonly end: () => unknown;
  /** Whether the end is what the method itself gives. */
  readonly isReal: boolean;
}

/** Runs what stands in for an attempt, in the form in which the method gives what it gives. */
export function answer(place: string, kind: MethodKind, course: Course): unknown {
  const { wait, end, isReal } = course;
  if (wait === undefined && isReal) return end();
  switch (kind) {
    case 'promise':
      return promised(course);
    case 'observable':
      return defer(() => from(waited(course))).pipe(mergeMap(() => asObservable(end())));
    case 'asyncIterable':
      return iterated(course);
    case 'sync':
      if (wait === undefined) return end();
      throw new ResilienceConfigurationError(place, 'is synchronous, so it can neither hang nor take time');
    default:
      return wait === undefined ? asItIs(end) : promised(course);
  }
}

async function promised({ wait, end }: Course): Promise<unknown> {
  if (wait !== undefined) await wait();
  return end();
}

async function waited({ wait }: Course): Promise<void> {
  if (wait !== undefined) await wait();
}

function asObservable(value: unknown) {
  return isObservable(value) ? value : of(value);
}

async function* iterated({ wait, end }: Course): AsyncGenerator<unknown> {
  if (wait !== undefined) await wait();
  const value = await end();
  if (isAsyncIterable(value)) yield* value;
  else yield value;
}

/** Nobody knows yet what the method gives: what is no stream is taken for what a promise holds. */
function asItIs(end: () => unknown): unknown {
  try {
    const value = end();
    return isThenable(value) || isObservable(value) || isAsyncIterable(value) ? value : Promise.resolve(value);
  } catch (error) {
    return Promise.reject(error);
  }
}
