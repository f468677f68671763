import { setTimeout as delay } from 'node:timers/promises';
import { DataUnavailableException } from '../port/errors.js';

/**
 * Runs work under a signal that aborts when its time is over, with a DataUnavailableException, or when the caller's
 * does, with its reason.
 */
export async function withTimeLimit<T>(
  ms: number,
  caller: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  caller?.throwIfAborted();
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(caller?.reason);
  const onTimeout = (): void =>
    controller.abort(new DataUnavailableException(`The database did not answer within ${ms} ms`));
  const timer = setTimeout(onTimeout, ms);
  caller?.addEventListener('abort', onAbort, { once: true });
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    caller?.removeEventListener('abort', onAbort);
  }
}

/** @throws the signal's reason, at once when it aborts. */
export async function pauseUnless(signal: AbortSignal | undefined, ms: number): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    signal?.throwIfAborted();
  }
}
