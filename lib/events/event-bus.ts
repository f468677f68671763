import type { ResilienceEvent, ResilienceEventBody } from './resilience-event.js';

export type EventListener = (event: ResilienceEvent) => void;

/** Hears what operators want to know of, and nothing of calls that go as they should. */
export interface ChangeListener {
  readonly changed: EventListener;
  /** Something happened again of which an event is told once a minute only. */
  readonly repeated: (type: ResilienceEvent['type'], name: string) => void;
}

/**
 * Hands events to whoever listens. Policies ask {@link active} or {@link hearsChanges} first, so that an event nobody
 * hears is never built.
 */
export class EventBus {
  /** Those who hear of every call. */
  #listeners: readonly EventListener[] = [];
  /** Those who hear of changes alone: a log that is always there must not make calls dearer. */
  #watchers: readonly ChangeListener[] = [];
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

  /** Whether anybody hears of calls. */
  get active(): boolean {
    return this.#listeners.length > 0;
  }

  /** Whether anybody hears of changes. Whoever hears of calls does. */
  get hearsChanges(): boolean {
    return this.#watchers.length > 0 || this.#listeners.length > 0;
  }

  /** Tells something of a call. */
  emit(body: ResilienceEventBody): void {
    if (!this.active) return;
    const event = this.#dated(body);
    for (const listener of this.#listeners) this.#tell(listener, event);
  }

  /** Tells something that operators want to know. */
  emitChange(body: ResilienceEventBody): void {
    if (!this.hearsChanges) return;
    const event = this.#dated(body);
    for (const listener of this.#listeners) this.#tell(listener, event);
    for (const { changed } of this.#watchers) this.#tell(changed, event);
  }

  /** What a change told before happened again, without an event of its own. */
  repeat(type: ResilienceEvent['type'], name: string): void {
    for (const { repeated } of this.#watchers) repeated(type, name);
  }

  /** Runs `notify` each time somebody listens to calls of which nobody heard before. */
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

  /** Listens to changes alone. @returns a function that ends the subscription. */
  watchChanges(watcher: ChangeListener): () => void {
    this.#watchers = [...this.#watchers, watcher];
    return () => {
      this.#watchers = this.#watchers.filter((other) => other !== watcher);
    };
  }

  #dated(body: ResilienceEventBody): ResilienceEvent {
    return { ...body, at: Math.round(body.at ?? this.wallNow()) };
  }

  #tell(listener: EventListener, event: ResilienceEvent): void {
    try {
      listener(event);
    } catch (error) {
      this.onListenerError(error);
    }
  }
}
