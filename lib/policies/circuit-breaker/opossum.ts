import { EventEmitter } from 'node:events';
import opossum from 'opossum';
import { instanceOf, propertyOf } from '../../errors/foreign.js';
import { ResilienceException } from '../../errors/resilience.exception.js';

/**
 * opossum's breaker as this folder needs it: the published types lack some members and declare accessors as
 * properties, which a subclass cannot override.
 */
export interface OpossumFace extends EventEmitter {
  readonly name: string;
  readonly group: string;
  options: object;
  semaphore: unknown;
  action: (...args: never[]) => unknown;
  healthCheck(check: () => unknown, interval?: number): void;
  /** Does nothing: nothing is cached. */
  clearCache(): void;
  /** Always undefined: each call has a signal of its own. */
  getSignal(): AbortSignal | undefined;
  /** Always undefined: each call has a controller of its own. */
  getAbortController(): AbortController | undefined;
}

/** One that opossum itself has made, with an action of its own. */
export interface OpossumBreaker extends OpossumFace {
  open(): void;
  fire(...args: unknown[]): Promise<unknown>;
}

export interface OpossumOptions {
  name: string;
  group?: string | undefined;
  timeout: false;
  status: unknown;
}

/** What the subclass replaces is not here: it has a type of its own there. */
interface OpossumConstructor {
  new (action: (...args: never[]) => unknown, options: OpossumOptions): OpossumFace;
}

export const Opossum = opossum as unknown as OpossumConstructor;

/** Whether it is a breaker of the kind that opossum itself makes. */
export function isOpossumBreaker(value: unknown): value is OpossumBreaker {
  return instanceOf(value, Opossum);
}

/** opossum's events, as far as there are such here; its tools subscribe to whatever a breaker names. */
export const EVENTS = [
  'fire',
  'success',
  'failure',
  'timeout',
  'reject',
  'open',
  'close',
  'halfOpen',
  'semaphoreLocked',
  'fallback',
  'healthCheckFailed',
  'shutdown',
];

/**
 * A status for the constructor alone: with a controller of its own and without snapshots it starts no interval. One
 * serves every breaker, since none counts in it.
 */
export const idleStatus = (opossum as unknown as { newStatus(options: object): EventEmitter }).newStatus({
  rotateBucketController: new EventEmitter(),
  enableSnapshots: false,
});

/**
 * The mark that opossum puts on errors of its own, which is all that its `isOurError()` looks for. It is private there,
 * and stands on the error that a breaker refuses with.
 */
function markOfOpossum(): symbol | undefined {
  const breaker = new Opossum(unused, { name: 'mark', timeout: false, status: idleStatus }) as OpossumBreaker;
  // One of these would begin the reset time.
  breaker.removeAllListeners();
  breaker.open();
  let mark: symbol | undefined;
  breaker.on('reject', (error: object) => ([mark] = Object.getOwnPropertySymbols(error)));
  breaker.fire().catch(unused);
  return mark;
}

function unused(): void {
  // It is neither run nor waited for.
}

const MARK = markOfOpossum();

// Whoever asks opossum itself, `CircuitBreaker.isOurError(error)`, gets the answer that `Breaker.isOurError` gives.
if (MARK !== undefined) Object.defineProperty(ResilienceException.prototype, MARK, { value: true });

/** Whether `error` was made by a policy, and not by the guarded work. */
export function isOurError(error: unknown): boolean {
  return instanceOf(error, ResilienceException) || (MARK !== undefined && propertyOf(error, MARK) === true);
}
