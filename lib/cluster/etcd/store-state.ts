import type { EventBus } from '../../events/event-bus.js';
import { describeError } from '../../kernel/error-text.js';

/** Tells when etcd goes away and when it is back, once for all parts that watch it. */
export class StoreState {
  readonly #without = new Set<object>();

  constructor(private readonly events: EventBus) {}

  /** Whether all who watch it hear of it. */
  get up(): boolean {
    return this.#without.size === 0;
  }

  /** @param watcher whoever hears nothing of etcd any more. */
  lost(watcher: object, error: unknown): void {
    const wasUp = this.#without.size === 0;
    this.#without.add(watcher);
    if (wasUp) this.#tell(false, describeError(error));
  }

  /** @param watcher whoever hears of etcd. */
  heard(watcher: object): void {
    if (this.#without.delete(watcher) && this.#without.size === 0) this.#tell(true, 'it answers again');
  }

  #tell(up: boolean, reason: string): void {
    this.events.emitChange({ type: 'store', name: 'etcd', policy: 'circuitBreaker', store: 'etcd', up, reason });
  }
}
