import { EventEmitter } from 'node:events';
import { notify } from '../../kernel/ask.js';
import type { Timer } from '../../kernel/clock.js';
import type { BreakerCore } from './breaker-core.js';
import { readBucket, type BreakerBucket, type BreakerStats } from './breaker-stats.js';

type Listener = (...args: never[]) => void;
type AnyListener = (...args: unknown[]) => void;

/**
 * opossum's `status`: statistics that are read when asked for. While somebody listens to `'snapshot'` it tells them once
 * a bucket, by an unref'd timer that is there only as long.
 *
 * @publicApi
 */
export class BreakerStatus extends EventEmitter {
  readonly #core: BreakerCore;
  #timer: Timer | undefined;

  /** @internal */
  constructor(core: BreakerCore) {
    super();
    this.#core = core;
    core.whenRetired(() => this.shutdown());
  }

  /** The numbers of the whole window. */
  get stats(): BreakerStats {
    return this.#core.stats;
  }

  /** The numbers of each bucket, the newest first. */
  get window(): BreakerBucket[] {
    const { tally, environment } = this.#core;
    return tally.bucketsAt(environment.clock.now()).map(readBucket);
  }

  override on(event: string | symbol, listener: Listener): this {
    super.on(event, listener as AnyListener);
    return this.#heard();
  }

  override addListener(event: string | symbol, listener: Listener): this {
    super.addListener(event, listener as AnyListener);
    return this.#heard();
  }

  override prependListener(event: string | symbol, listener: Listener): this {
    super.prependListener(event, listener as AnyListener);
    return this.#heard();
  }

  /** Lets go of its listeners, and of its timer with them. */
  shutdown(): void {
    this.removeAllListeners();
    this.#stop();
  }

  #heard(): this {
    const { lifecycle } = this.#core.environment;
    if (this.#timer !== undefined || !this.#isWanted()) return this;
    lifecycle.onDispose(this.#stop);
    this.#arm();
    return this;
  }

  #isWanted(): boolean {
    const { isShutDown, environment } = this.#core;
    return !isShutDown && !environment.lifecycle.disposed && this.listenerCount('snapshot') > 0;
  }

  #arm(): void {
    const { options, environment } = this.#core;
    const everyMs = Math.max(1, Math.floor(options.rollingCountTimeout / options.rollingCountBuckets));
    this.#timer = environment.clock.setTimeout(() => this.#tell(), everyMs);
    this.#timer.unref();
  }

  #tell(): void {
    if (!this.#isWanted()) return this.#stop();
    this.#arm();
    const { stats } = this;
    const { environment, place } = this.#core;
    // An emitter ends with the first listener that throws.
    for (const listener of this.rawListeners('snapshot'))
      notify(environment, `${place}, a listener of 'snapshot'`, () => Reflect.apply(listener, this, [stats]));
  }

  readonly #stop = (): void => {
    const { clock, lifecycle } = this.#core.environment;
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    lifecycle.offDispose(this.#stop);
  };
}
