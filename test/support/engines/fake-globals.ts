import { seededRandom } from '../seeded-random.js';
import { VirtualClock } from '../virtual-clock.js';

const real = { setTimeout, clearTimeout, setImmediate, dateNow: Date.now, now: performance.now, random: Math.random };

/**
 * Time and chance of this process, as every engine reads them from the globals, until {@link giveBack}. Both
 * engines live by one clock, so that each instant is the same for both.
 */
export class FakeGlobals {
  constructor(readonly clock = new VirtualClock()) {
    const fakes = new WeakSet<object>();
    globalThis.setTimeout = ((callback: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
      const timer = clock.setTimeout(() => callback(...args), ms);
      fakes.add(timer);
      return timer;
    }) as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((timer: object | undefined) => {
      if (timer === undefined || timer === null) return;
      if (fakes.has(timer)) clock.clearTimeout(timer as never);
      else real.clearTimeout(timer as never);
    }) as typeof clearTimeout;
    globalThis.setImmediate = ((callback: (...args: unknown[]) => void, ...args: unknown[]) =>
      clock.setImmediate(() => callback(...args))) as unknown as typeof setImmediate;
    Date.now = () => clock.wallNow();
    performance.now = () => clock.now();
  }

  /**
   * Gives the world that is about to start a chance of its own, so that it does not depend on what the other draws.
   *
   * @returns lets it begin anew: Nest draws from it as well while an app starts.
   */
  chance(): () => void {
    let draw = seededRandom(1);
    Math.random = () => draw();
    return () => void (draw = seededRandom(1));
  }

  giveBack(): void {
    globalThis.setTimeout = real.setTimeout;
    globalThis.clearTimeout = real.clearTimeout;
    globalThis.setImmediate = real.setImmediate;
    Date.now = real.dateNow;
    performance.now = real.now;
    Math.random = real.random;
  }
}
