import { instanceOf } from '../../errors/foreign.js';
import type { CircuitState } from '../../events/resilience-event.js';
import { BreakerCore } from './breaker-core.js';
import type { BreakerFace } from './breaker-events.js';
import { initOf, type BreakerOptions } from './breaker-options.js';
import { jsonOf, type BreakerJson } from './breaker-json.js';
import { restoreBreaker, takeSnapshot, type BreakerSnapshot } from './breaker-snapshot.js';
import type { BreakerStats } from './breaker-stats.js';
import { BreakerStatus } from './breaker-status.js';
import type { ResolvedCircuitBreaker } from './circuit-breaker.options.js';
import { FiredActions } from './fired-actions.js';
import { checkHealth } from './health-check.js';
import { HeardOpossum } from './heard-opossum.js';
import { idleStatus, isOurError } from './opossum.js';

/**
 * A circuit breaker that runs any function. It *is* an opossum `CircuitBreaker`: its events, statistics, `open`, `close`,
 * `enable`, `disable` and `toJSON()` are there, so that its tools keep working. Admission, the rolling window and the
 * classification of outcomes are ours; opossum's own listeners and timers are gone.
 *
 * A method has `@CircuitBreaker`, and the breaker behind that is `handle.breaker`. One that is made by hand needs no
 * module and no Nest app, and starts no timer while nothing runs under it and nobody waits for its events.
 *
 * @example
 * const payments = new Breaker('payments', { timeout: 800, volumeThreshold: 20 });
 * payments.on('open', () => console.warn('payments is down'));
 *
 * const receipt = await payments.fire((order: Order) => client.charge(order), order);
 *
 * @publicApi
 */
export class Breaker extends HeardOpossum implements BreakerFace {
  /** @internal */ readonly core: BreakerCore;
  #fired: FiredActions | undefined;
  #status: BreakerStatus | undefined;

  /**
   * Whether `error` was made by a policy, as when a breaker is open or the time is over, and not by the guarded work.
   * opossum's own `isOurError` says the same.
   */
  static isOurError(error: unknown): boolean {
    return isOurError(error);
  }

  /** opossum has it; here {@link snapshot} and {@link restore} carry a state from one breaker to another. @throws TypeError */
  static newStatus(): never {
    throw new TypeError("newStatus() is opossum's: use snapshot() and restore() to carry a state over");
  }

  /**
   * @param name how errors, events and tools name it.
   * @param options what `@CircuitBreaker` takes, but for keys and scopes. @default opossum's
   * @throws ResilienceConfigurationError naming the option, its value and what was expected.
   */
  constructor(name: string, options?: BreakerOptions);
  /** @internal */
  constructor(core: BreakerCore);
  constructor(nameOrCore: string | BreakerCore, given: BreakerOptions = {}) {
    const core = instanceOf(nameOrCore, BreakerCore) ? nameOrCore : new BreakerCore(initOf(nameOrCore, given));
    const { name, options } = core;
    super(unusedAction, { name, group: options.group, timeout: false, status: idleStatus });
    // opossum counts by listeners to its own events; the core counts without.
    this.removeAllListeners();
    this.options = options;
    this.semaphore = undefined;
    this.core = core;
    core.events.face = this;
  }

  /** The state now; half-open as soon as the reset time is over. After {@link shutdown} it is what it was then. */
  get state(): CircuitState {
    return this.core.machine.stateAt(this.#now());
  }
  get closed(): boolean {
    const { state } = this;
    return (state === 'closed' || state === 'disabled') && !this.isShutdown;
  }
  get opened(): boolean {
    const { state } = this;
    return (state === 'open' || state === 'forcedOpen') && !this.isShutdown;
  }
  get halfOpen(): boolean {
    return this.state === 'halfOpen' && !this.isShutdown;
  }
  get pendingClose(): boolean {
    return this.halfOpen;
  }
  get enabled(): boolean {
    const { recorded } = this.core.machine;
    return recorded !== 'disabled' && recorded !== 'shutDown';
  }
  get warmUp(): boolean {
    return this.core.tally.warmUp;
  }
  get volumeThreshold(): number {
    return this.core.options.volumeThreshold;
  }
  get isShutdown(): boolean {
    return this.core.isShutDown;
  }
  get stats(): BreakerStats {
    return this.core.stats;
  }
  /** Its statistics, also by bucket, and the event `'snapshot'` that tells them once a bucket. */
  get status(): BreakerStatus {
    return (this.#status ??= new BreakerStatus(this.core));
  }

  /**
   * Runs any function under it, where opossum runs the action that it was made with. The breaker's own `timeout`
   * bounds it. Where there is a {@link fallback}, that answers for failures and refusals.
   *
   * @throws (as a rejection) CircuitOpenException, TimeoutException, ShutdownException, or whatever the action throws;
   * TypeError, which counts nowhere, for an action that is no function.
   *
   * @example
   * const rate = await breaker.fire((from: string, to: string) => rates.load(from, to), 'EUR', 'USD');
   */
  fire<A extends unknown[], R>(action: (...args: A) => R | PromiseLike<R>, ...args: A): Promise<R> {
    return this.#actions().fire(action, args) as Promise<R>;
  }

  /** As {@link fire}, with `this` for the action. */
  call<A extends unknown[], R>(context: unknown, action: (...args: A) => R | PromiseLike<R>, ...args: A): Promise<R> {
    // What is no function, fire() refuses.
    return this.fire(typeof action === 'function' ? (...all: A) => action.apply(context, all) : action, ...args);
  }

  /**
   * Gives {@link fire} a substitute answer: a function of the arguments and the error, or a breaker that opossum has
   * made, whose action is run with them. It answers failures and refusals; what `errorFilter` takes out, and what the
   * dependency said no to, it leaves alone. A method has `@Fallback`.
   *
   * @throws TypeError for anything else.
   */
  fallback(answer: ((...argsAndError: never[]) => unknown) | { fire(...argsAndError: never[]): unknown }): this {
    this.#actions().answerBy(answer);
    return this;
  }

  /**
   * Opens it whenever `check` fails, which is asked now and then every `interval` ms, until {@link shutdown} or the end of
   * the app; a failure is told as 'healthCheckFailed'.
   *
   * @throws TypeError for a check that is no function, or an interval that is no number.
   */
  override healthCheck(check: () => unknown, interval = 5_000): void {
    this.core.whenRetired(checkHealth(this, check, interval, () => this.#open('its health check failed')));
  }

  /** Opens it now; it lets a probe through when the reset time is over. */
  open(): void {
    this.core.events.byHand(() => this.#open('opened by hand'));
  }

  /** Closes it now and clears what it has counted; as with opossum, what is disabled by hand stays so. */
  close(): void {
    if (this.core.wordOf('operator')?.state !== 'disabled') this.forceClose();
  }

  /** Takes back what was ordered by hand, closes it now and clears what it has counted. */
  forceClose(): void {
    this.core.events.byHand(() => this.core.close('closed by hand'));
  }

  /** Opens it until {@link forceClose}, {@link reset} or {@link enable}, whatever rules say. */
  forceOpen(reason = 'forced open by hand'): void {
    this.core.events.byHand(() => this.core.say('operator', { state: 'forcedOpen', reason }));
  }

  /** Forgets everything, also what was ordered by hand: closed, nothing counted. */
  reset(): void {
    this.core.events.byHand(() => this.core.enable('reset by hand'));
  }

  /** Lets every call through and counts nothing. */
  disable(): void {
    this.core.events.byHand(() => this.core.say('operator', { state: 'disabled', reason: 'disabled by hand' }));
  }

  /** Takes back what was ordered by hand, `enabled: false` too, and judges again with a clean window. */
  enable(): void {
    const { core } = this;
    if (core.wordOf('operator') !== undefined || core.wordOf('options') !== undefined)
      core.events.byHand(() => core.enable('enabled by hand'));
  }

  /** @internal */
  reconfigured(options: ResolvedCircuitBreaker): void {
    this.options = options;
    this.#fired?.reconfigure();
  }

  /**
   * Lets nothing begin any more, for ever, and lets go of its listeners and timers. That is no change of its state: `state`
   * stays as it is, and no event but 'shutdown' tells of it. Calls are refused with ShutdownException; what runs already
   * goes on, and is not counted.
   */
  shutdown(): void {
    if (this.isShutdown) return;
    this.core.tell('shutdown');
    this.core.shutDown();
    this.#fired?.shutDown();
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
    this.core.events.byHand(() => restoreBreaker(this.core, snapshot));
  }

  toJSON(): BreakerJson {
    return jsonOf(this);
  }

  /** @internal */
  protected override onListeners(listened: boolean): void {
    (this.core as BreakerCore | undefined)?.events.onListeners(listened);
  }

  #open(reason: string): void {
    if (this.enabled && !this.opened) this.core.trip(this.#now(), reason, 'hand');
  }

  #actions(): FiredActions {
    return (this.#fired ??= new FiredActions(this.core));
  }

  #now(): number {
    return this.core.environment.clock.now();
  }
}

function unusedAction(): never {
  throw new TypeError('this breaker has no action of its own: call fire(action, ...args)');
}

/** The breaker that people see of `core`: made when somebody first asks for it, since nobody does for most. */
export function breakerOf(core: BreakerCore): Breaker {
  return (core.events.face as Breaker | undefined) ?? new Breaker(core);
}
