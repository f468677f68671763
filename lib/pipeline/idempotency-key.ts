import type { Attempt } from '../kernel/attempt.js';
import { callOf } from '../kernel/call.js';

/** The key of the nearest call around that is `@Idempotent()`, the same for all its attempts; undefined: none is. */
export function idempotencyKeyOf(attempt: Attempt): string | undefined {
  let keyed: Attempt | undefined;
  for (let one: Attempt | undefined = attempt; one !== undefined; one = one.outer) {
    if (one.course.target.idempotencyKey === undefined) continue;
    if (keyed === undefined || isWithin(keyed, one)) keyed = one;
  }
  if (keyed === undefined) return undefined;
  const call = callOf(keyed);
  return (call.idempotencyKey ??= keyed.course.target.idempotencyKey?.(keyed.args));
}

/**
 * Whether `inner` is nothing but an attempt of `outer`: one of several beside each other, the run that several callers
 * share, or the handler that an interceptor calls anew for each attempt.
 */
function isWithin(inner: Attempt, outer: Attempt): boolean {
  const { rare } = inner;
  if (inner.outer === outer && (rare?.isPart === true || rare?.startedBy === outer)) return true;
  const [around, within] = [outer.course.target, inner.course.target];
  return (
    outer.origin?.context !== undefined &&
    around.className === within.className &&
    around.methodName === within.methodName
  );
}
