/** The real one, also where a test fakes the timers later. */
const realImmediate = globalThis.setImmediate;

/**
 * Lets every promise that can settle now do so; no time passes. For fake timers whose `tick()` does not wait for promises,
 * as those of node:test.
 *
 * @example
 * mock.timers.tick(1_000);
 * await settle();
 *
 * @publicApi
 */
export function settle(): Promise<void> {
  return new Promise((resolve) => realImmediate(resolve));
}
