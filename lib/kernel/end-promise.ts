import type { Attempt } from './attempt.js';

let current: Attempt | undefined;

/** One function serves all promises: a closure for each would cost more than what it does. */
function keepResolve(resolve: (end: unknown) => void): void {
  if (current !== undefined) current.resolve = resolve;
}

/** The promise of how an attempt ends, which the attempt itself settles. */
export function endOfAttempt(attempt: Attempt): Promise<unknown> {
  current = attempt;
  const end = new Promise(keepResolve);
  current = undefined;
  return end;
}
