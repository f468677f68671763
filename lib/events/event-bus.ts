import type { CallListener, Decided } from './call-listener.js';
import type { ResilienceEvent, ResilienceEventBody } from './resilience-event.js';

export type EventListener = (event: ResilienceEvent) => void;

/** Hears what operators want to know of, and nothing of calls that go as they should. */
export interface ChangeListener {
  readonly changed: EventListener;
  /** Something happened again of which an event is told once a minute only. */
  readonly repeated: (type: ResilienceEvent['type'], name: string) => void;
}

/** What a policy decides of a call; refusals are told by the attempt that is refused. */
type Decision = Extract<ResilienceEventBody, { type: Exclude<Decided['type'], 'refused'> }>;

/** A call that is observed from its beginning to its end. */
export interface HeardCall {
  /** A policy has told something of it. */
  decided(decision: Decided): void;
}

/**
 * The one point at which an app is observed: by events, by changes alone, or call by call. Policies ask {@link active} or
 * {@link hearsChanges} first, so that an event nobody hears is never built.
 */
export class EventBus {
  /** Those who hear of whole calls; undefined: nobody. A call reads it once, at its start. */
  calls: readonly CallListener[] | undefined = undefined;
  /** Whether anybody hears of calls. A call reads it, so it is kept and not made up each time. */
  active = false;
  /** Those who hear of whole calls, and the calls of which somebody hears. */
  #observing = 0;
  #lastCall = 0;
  /** Those who hear every event. */
  #listeners: readonly EventListener[] = [];
  /** Those who hear of changes alone: a log that is always there must not make calls dearer. */
  #watchers: readonly ChangeListener[] = [];
  /** Those who hear what policies would have refused: of the calls nothing tells it. */
  #shadowing: readonly EventListener[] = [];
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

  /** Whether anybody hears every event, and wants it in time. */
  get hasListeners(): boolean {
    return this.#listeners.length > 0;
  }

  /** Whether anybody hears of changes. Whoever hears of calls does. */
  get hearsChanges(): boolean {
    return this.#watchers.length > 0 || this.active;
  }

  /**
   * Tells something of a call.
   *
   * @param call who observes the call of which a policy has decided something; undefined: nobody.
   */
  emit(body: ResilienceEventBody): void;
  emit(body: Decision, call: HeardCall | undefined): void;
  emit(body: ResilienceEventBody, call?: HeardCall): void {
    if (!this.active) return;
    const event = this.#dated(body);
    this.#emit(event);
    if (event.type === 'refused' && event.metricsOnly === true)
      for (const listener of this.#shadowing) this.tell(listener, event);
    call?.decided(event as Decided);
  }

  /** Tells something that operators want to know; see {@link emit}. */
  emitChange(body: ResilienceEventBody): void;
  emitChange(body: Decision, call: HeardCall | undefined): void;
  emitChange(body: ResilienceEventBody, call?: HeardCall): void {
    if (!this.hearsChanges) return;
    const event = this.#dated(body);
    this.#emit(event);
    for (const { changed } of this.#watchers) this.tell(changed, event);
    call?.decided(event as Decided);
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
    this.#refresh();
    if (this.#listeners.length === 1) for (const notify of this.#onFirst) notify();
    return () => {
      if (!this.#listeners.includes(listener)) return;
      this.#listeners = this.#listeners.filter((other) => other !== listener);
      this.#refresh();
      if (!this.hasListeners) for (const notify of this.#onLast) notify();
    };
  }

  /** Listens to changes alone. @returns a function that ends the subscription. */
  watchChanges(watcher: ChangeListener): () => void {
    this.#watchers = [...this.#watchers, watcher];
    return () => {
      this.#watchers = this.#watchers.filter((other) => other !== watcher);
    };
  }

  /**
   * Listens to what policies with `metricsOnly` would have refused, as long as anybody hears of calls. @returns a function
   * that ends the subscription.
   */
  watchShadowRefusals(listener: EventListener): () => void {
    this.#shadowing = [...this.#shadowing, listener];
    return () => {
      this.#shadowing = this.#shadowing.filter((other) => other !== listener);
    };
  }

  /** Listens to whole calls. @returns a function after which it hears of no new ones. */
  watchCalls(listener: CallListener): () => void {
    // The same one may come twice.
    const added: CallListener = { begun: (call) => listener.begun(call) };
    this.calls = [...(this.calls ?? []), added];
    this.#observe(1);
    return () => {
      if (this.calls?.includes(added) !== true) return;
      const others = this.calls.filter((other) => other !== added);
      this.calls = others.length === 0 ? undefined : others;
      this.#observe(-1);
    };
  }

  /** An observed call begins: it hears all that policies tell of it, whoever leaves meanwhile. @returns its id. */
  callBegun(): number {
    this.#observe(1);
    return ++this.#lastCall;
  }

  callEnded(): void {
    this.#observe(-1);
  }

  /** Lets a listener hear something. What it throws is reported. */
  tell<T>(listener: (what: T) => void, what: T): void {
    try {
      listener(what);
    } catch (error) {
      this.onListenerError(error);
    }
  }

  #observe(more: 1 | -1): void {
    this.#observing += more;
    this.#refresh();
  }

  #refresh(): void {
    this.active = this.#listeners.length > 0 || this.#observing > 0;
  }

  #dated(body: ResilienceEventBody): ResilienceEvent {
    return { ...body, at: Math.round(body.at ?? this.wallNow()) };
  }

  #emit(event: ResilienceEvent): void {
    for (const listener of this.#listeners) this.tell(listener, event);
  }
}
