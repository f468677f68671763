/**
 * The name under which the calls of a plan are told and counted: the one that its policies were given, so that a method and
 * its breaker are found by the same name; else, or where they were given several, that of the method or set itself.
 *
 * @param names of its policies, and of those inside it that count no calls of their own.
 * @param own `Class.method`, or the name of a set.
 *
 * @example
 * // @CircuitBreaker('payments') @Retry(3) charge(): 'payments'
 * // @CircuitBreaker('payments') @Bulkhead('pool') charge(): 'Payments.charge'
 */
export function callNameOf(names: readonly string[], own: string): string {
  const given = [...new Set(names)].filter((name) => name !== own);
  // What keeps state for one instance of several has a number behind the name that the others have.
  const [longest, ...others] = given.sort((a, b) => b.length - a.length);
  if (longest === undefined) return own;
  return others.every((other) => longest.startsWith(`${other}#`)) ? longest : own;
}
