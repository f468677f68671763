import CircuitBreaker from 'opossum';
import { onTestFinished } from 'vitest';

/** Work that an opossum breaker runs. */
export type Work = () => unknown;

/** An opossum breaker as it comes, which runs whatever it is given; it is shut down when the test is over. */
export function plainOpossum(options: CircuitBreaker.Options<[Work]> = {}): CircuitBreaker<[Work]> {
  // opossum would fill in the options of its caller.
  const breaker = new CircuitBreaker((work: Work) => work() as Promise<unknown>, { ...options });
  onTestFinished(() => breaker.shutdown());
  return breaker;
}

/** Waits for a call whose end does not matter. */
export async function quietly(call: PromiseLike<unknown>): Promise<void> {
  await Promise.allSettled([call]);
}
