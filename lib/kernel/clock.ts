import { AsyncResource } from 'node:async_hooks';
import { performance as realPerformance } from 'node:perf_hooks';
import { setTimeout as realSetTimeout } from 'node:timers';

/** A pending timer. */
export interface Timer {
  ref(): unknown;
  unref(): unknown;
}

/** Time as the policies see it; tests and simulations bring their own. */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary start. */
  now(): number;
  /** Epoch milliseconds; for what people read, never for durations. */
  wallNow(): number;
  setTimeout(callback: () => void, ms: number): Timer;
  clearTimeout(timer: Timer): void;
  /** Runs `callback` after the event loop has polled for input once. */
  setImmediate(callback: () => void): void;
}

/**
 * Timers are made in the context in which this module was loaded, so that none of them keeps the AsyncLocalStorage
 * store of the request alive that happened to need it first.
 */
const root = new AsyncResource('nestjs-bulwark');

const realNow: unknown = Reflect.get(realPerformance, 'now');
const realDateNow = Date.now;

/**
 * Time as the fake timers of a test have it. Those of node:test fake the timers and `Date` and leave `performance` as it
 * is: then the date is what moves with the timers.
 */
function fakedNow(): number {
  return performance.now === realNow && Date.now !== realDateNow ? Date.now() : performance.now();
}

/**
 * Node's own time. The globals are read at each call, so that faked timers apply. `performance` is a getter there that
 * makes a reading half as dear again, so it is asked only where a test has replaced the timers.
 */
export const systemClock: Clock = {
  now: () => (setTimeout === realSetTimeout ? realPerformance.now() : fakedNow()),
  wallNow: () => Date.now(),
  setTimeout: (callback, ms) => root.runInAsyncScope(() => setTimeout(callback, ms)),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  setImmediate: (callback) => {
    root.runInAsyncScope(() => setImmediate(callback));
  },
};
