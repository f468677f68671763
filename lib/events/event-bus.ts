import type { ResilienceEvent, ResilienceEventBody } from './resilience-event.js';

export type EventListener = (event: ResilienceEvent) => void;

/**
 * Hands events to whoever listens. Policies ask {@link active} first, so that an event nobody hears is never built.
 */
export class EventBus {
  #listeners: readonly EventListener[] = [];
  readonly #onFirst = new Set<() => void>();
  readonly #onLast = new Set<() => void>();

  /**
   * @param wallNow epoch milliseconds.
   * @param onListenerError told when a listener throws; the other listeners still hear the event.
   */
  constructor(
    private readonly wallNow: () => number,
    private readonly onListenerError: (error: unknown) => void,
  ) {}

  /** Whether anybody listens. */
  get active(): boolean {
    return this.#listeners.length > 0;
  }

  emit(body: ResilienceEventBody): void {
    if (!this.active) return;
    const event = { ...body, at: Math.round(body.at ?? this.wallNow()) };
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.onListenerError(error);
      }
    }
  }

  /** Runs `notify` each time somebody listens to what nobody heard before. */
  onFirstListener(notify: () => void): void {
    this.#onFirst.add(notify);
  }

  /** Runs `notify` each time nobody listens any more. */
  onLastListener(notify: () => void): void {
    this.#onLast.add(notify);
  }

  /** @returns a function that ends the subscription. */
  subscribe(listener: EventListener): () => void {
    this.#listeners = [...this.#listeners, listener];
    if (this.#listeners.length === 1) for (const notify of this.#onFirst) notify();
    return () => {
      if (!this.#listeners.includes(listener)) return;
      this.#listeners = this.#listeners.filter((other) => other !== listener);
      if (!this.active) for (const notify of this.#onLast) notify();
    };
  }
}
