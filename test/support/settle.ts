export { settle } from '../../lib/testing/settle.js';

/** What has become of a promise so far. */
export interface Tracked {
  status: 'pending' | 'fulfilled' | 'rejected';
  /** The value, or the error. */
  outcome: unknown;
}

/** Follows a promise without waiting for it. */
export function track(promise: Promise<unknown>): Tracked {
  const tracked: Tracked = { status: 'pending', outcome: undefined };
  promise.then(
    (value) => Object.assign(tracked, { status: 'fulfilled', outcome: value }),
    (error: unknown) => Object.assign(tracked, { status: 'rejected', outcome: error }),
  );
  return tracked;
}

/** The error with which `promise` rejects. */
export async function errorOf<E = Error>(promise: Promise<unknown>): Promise<E> {
  const [result] = await Promise.allSettled([promise]);
  if (result.status === 'fulfilled') throw new Error(`expected a rejection, got ${String(result.value)}`);
  return result.reason as E;
}

/** The error that `run` throws. */
export function thrownBy<E = Error>(run: () => unknown): E {
  try {
    run();
  } catch (error) {
    return error as E;
  }
  throw new Error('expected an error to be thrown');
}
