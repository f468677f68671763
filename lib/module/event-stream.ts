import { Observable, Subscriber, type Observer, type Subscription } from 'rxjs';
import { instanceOf, propertyOf } from '../errors/foreign.js';
import type { EventBus } from '../events/event-bus.js';
import type { ResilienceEvent } from '../events/resilience-event.js';
import { notify, type CallbackReporter } from '../kernel/ask.js';

const PLACE = 'a subscriber of events$';

type Next = (event: ResilienceEvent) => unknown;

/**
 * Everything that the policies tell. Whoever subscribes may fail, now or later: that is logged, and hurts neither the
 * call nor other subscribers. rxjs would throw it once more on a timer of its own, which ends the process; that still
 * holds for what is piped, since there the last subscriber is rxjs's own affair.
 */
export class EventStream extends Observable<ResilienceEvent> {
  readonly #reporter: CallbackReporter;

  constructor(bus: EventBus, reporter: CallbackReporter) {
    super((subscriber) => bus.subscribe((event) => subscriber.next(event)));
    this.#reporter = reporter;
  }

  /** It neither fails nor completes, so that only `next` of an observer is ever called. */
  override subscribe(observerOrNext?: Partial<Observer<ResilienceEvent>> | Next | null): Subscription {
    // The inside of an operator, such as pipe() puts before it.
    if (isSubscriber(observerOrNext)) return super.subscribe(observerOrNext);
    const next = nextOf(observerOrNext);
    return super.subscribe((event) => notify(this.#reporter, PLACE, () => next(event)));
  }
}

function nextOf(observer: Partial<Observer<ResilienceEvent>> | Next | null | undefined): Next {
  if (typeof observer === 'function') return observer;
  return (event) => observer?.next?.(event);
}

/** Also one of another copy of rxjs. */
function isSubscriber(observer: unknown): observer is Subscriber<ResilienceEvent> {
  return (
    instanceOf(observer, Subscriber) ||
    ['add', 'remove', 'unsubscribe'].every((name) => typeof propertyOf(observer, name) === 'function')
  );
}
