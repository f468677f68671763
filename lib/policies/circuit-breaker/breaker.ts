import type { CircuitState } from '../../events/resilience-event.js';
import { judge } from '../outcome.js';
import { BreakerCore, type BreakerInit } from './breaker-core.js';
import { restoreBreaker, takeSnapshot, type BreakerSnapshot } from './breaker-snapshot.js';
import { BreakerStatus, type BreakerStats } from './breaker-stats.js';
import { idleStatus, Opossum } from './opossum.js';

/** opossum's events; its tools subscribe to whatever a breaker names. */
const EVENTS = [
  'fire',
  'success',
  'failure',
  'timeout',
  'reject',
  'open',
  'close',
  'halfOpen',
  'semaphoreLocked',
  'shutdown',
];

type Listener = (...args: never[]) => void;

/**
 * An opossum `CircuitBreaker`: its events, statistics, `open`, `close`, `enable`, `disable` and `toJSON()`, so that
 * its tools keep working. Admission, the rolling window and the classification of outcomes are ours; opossum's own
 * listeners and timers are gone.
 *
 * `fire(action, ...args)` runs any function under it.
 *
 * @publicApi
 */
export class Breaker extends Opossum {
  /** @internal */ readonly core: BreakerCore;
  #isShutdown = false;
  #status: BreakerStatus | undefined;

  constructor(init: BreakerInit) {
    const { name, options } = init;
    super(unusedAction, { name, group: options.group, timeout: false, status: idleStatus });
    // opossum counts by listeners to its own events; the core counts without.
    this.removeAllListeners();
    this.options = options;
    this.semaphore = undefined;
    this.core = new BreakerCore(init, this);
  }

  /** The state now; half-open as soon as the reset time is over. */
  get state(): CircuitState {
    return this.core.machine.stateAt(this.#now());
  }
  get closed(): boolean {
    const { state } = this;
    return state === 'closed' || state === 'disabled';
  }
  get opened(): boolean {
    const { state } = this;
    return state === 'open' || state === 'forcedOpen';
  }
  get halfOpen(): boolean {
    return this.state === 'halfOpen';
  }
  get pendingClose(): boolean {
    return this.halfOpen;
  }
  get enabled(): boolean {
    return this.core.machine.recorded !== 'disabled';
  }
  get warmUp(): boolean {
    return this.core.warmUp;
  }
  get volumeThreshold(): number {
    return this.core.volumeThreshold;
  }
  get isShutdown(): boolean {
    return this.#isShutdown;
  }
  get stats(): BreakerStats {
    return this.core.stats;
  }
  get status(): BreakerStatus {
    return (this.#status ??= new BreakerStatus(() => this.stats));
  }

  /**
   * Runs any function under it, where opossum runs the action that it was made with.
   *
   * @throws (as a rejection) CircuitOpenException, or whatever the action throws.
   */
  async fire<A extends unknown[], R>(action: (...args: A) => R | PromiseLike<R>, ...args: A): Promise<R> {
    const { core } = this;
    const since = this.#now();
    if (this.listenerCount('fire') > 0) this.emit('fire', args);
    const admitted = core.admit(since);
    if (!admitted && core.options.mode === 'normal') throw core.refusal(since);
    const epoch = admitted ? core.machine.epoch : -1;
    let result: R;
    try {
      result = await action(...args);
    } catch (error) {
      if (admitted) this.#failed(epoch, since, error);
      throw error;
    }
    const now = this.#now();
    if (admitted) core.succeeded(epoch, since, now - since, now, result);
    return result;
  }

  /** As {@link fire}, with `this` for the action. */
  call<A extends unknown[], R>(context: unknown, action: (...args: A) => R | PromiseLike<R>, ...args: A): Promise<R> {
    return this.fire((...all: A) => action.apply(context, all), ...args);
  }

  /** Opens it now; it lets a probe through when the reset time is over. */
  open(): void {
    if (!this.opened) this.core.trip(this.#now(), 'opened by hand');
  }

  /** Closes it now and clears what it has counted. */
  close(): void {
    this.core.close('closed by hand');
  }

  /** Opens it until {@link close} or {@link reset}. */
  forceOpen(reason = 'forced open by hand'): void {
    this.core.forceOpen(reason);
  }

  /** Forgets everything: closed, nothing counted. */
  reset(): void {
    this.core.close('reset by hand');
  }

  /** Lets every call through and counts nothing. */
  disable(): void {
    if (this.enabled) this.core.machine.disable(this.#now());
  }

  /** Judges again, with a clean window. */
  enable(): void {
    if (!this.enabled) this.core.close('enabled by hand');
  }

  /** Lets go of its listeners, and of everything else. */
  shutdown(): void {
    this.emit('shutdown');
    this.#isShutdown = true;
    this.disable();
    this.core.retire();
    this.removeAllListeners();
  }

  /** Its state, to be kept and {@link restore}d elsewhere or later. */
  snapshot(): BreakerSnapshot {
    return takeSnapshot(this.core);
  }

  /**
   * Takes on a state; what is left of the time to the next probe is at most `resetTimeout`, whatever the clocks say.
   *
   * @throws ResilienceConfigurationError for what is no snapshot.
   */
  restore(snapshot: BreakerSnapshot): void {
    restoreBreaker(this.core, snapshot);
  }

  override on(event: string | symbol, listener: Listener): this {
    super.on(event, listener as (...args: unknown[]) => void);
    // Whoever begins to listen while it is open is told of its next change in time.
    // opossum's own constructor listens before there is a core.
    const core = this.core as BreakerCore | undefined;
    if (core?.nextTransitionAt !== undefined) core.listen();
    return this;
  }

  /** opossum's events, whether or not anybody listens: its tools subscribe to each. */
  override eventNames(): (string | symbol)[] {
    return [...new Set([...EVENTS, ...super.eventNames()])];
  }

  toJSON(): { state: Record<string, unknown>; status: BreakerStats } {
    const { clock } = this.core.environment;
    const { name, enabled, closed, opened, halfOpen, warmUp, isShutdown } = this;
    const lastTimerAt = opened || halfOpen ? clock.wallNow() - (clock.now() - this.core.machine.since) : undefined;
    return {
      state: { name, enabled, closed, open: opened, halfOpen, warmUp, shutdown: isShutdown, lastTimerAt },
      status: this.stats,
    };
  }

  #now(): number {
    return this.core.environment.clock.now();
  }

  #failed(epoch: number, since: number, error: unknown): void {
    const now = this.#now();
    const { kind } = judge(error, false, undefined);
    if (kind === 'failure') this.core.failed(epoch, now - since, now, error, false, 0);
    else if (kind === 'answered') this.core.succeeded(epoch, since, now - since, now, error);
    else this.core.ignored(epoch, since, kind === 'refused');
  }
}

function unusedAction(): never {
  throw new TypeError('this breaker has no action of its own: call fire(action, ...args)');
}
