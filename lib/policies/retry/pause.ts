import type { Call } from '../call.js';
import { MAX_DELAY_MS } from '../options/check.js';
import type { PolicyEnvironment } from '../policy.js';

/**
 * Waits `ms`. The wait ends at once, with the reason, when the call is cut, and at shutdown with `atShutdown()`.
 */
export function pause(
  ms: number,
  call: Call,
  { clock, lifecycle }: PolicyEnvironment,
  atShutdown: () => Error,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (settle: () => void): void => {
      clock.clearTimeout(timer);
      call.offAbort(onAbort);
      lifecycle.remove(waiter);
      settle();
    };
    const timer = clock.setTimeout(() => stop(resolve), Math.min(Math.ceil(ms), MAX_DELAY_MS));
    const onAbort = (reason: unknown): void => stop(() => reject(reason));
    const waiter = { end: () => stop(() => reject(atShutdown())) };
    call.onAbort(onAbort);
    lifecycle.add(waiter);
  });
}
