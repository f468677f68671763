import type {
  AttemptBegun,
  AttemptEnded,
  CallEnded,
  CallObserver,
  Decided,
  WaitEnded,
} from '../events/call-listener.js';
import type { EventBus } from '../events/event-bus.js';

/** Tells an observer one thing; made once, so that telling makes nothing. */
export type Telling<T> = (observer: CallObserver, what: T) => void;

export const ATTEMPT_BEGUN: Telling<AttemptBegun> = (observer, attempt) => observer.attemptBegun?.(attempt);
export const ATTEMPT_ENDED: Telling<AttemptEnded> = (observer, attempt) => observer.attemptEnded?.(attempt);
export const WAITED: Telling<WaitEnded> = (observer, wait) => observer.waited?.(wait);
export const DECIDED: Telling<Decided> = (observer, decision) => observer.decided?.(decision);
export const ENDED: Telling<CallEnded> = (observer, end) => observer.ended?.(end);

export const NOBODY: readonly CallObserver[] = [];

/** Lets an observer call work; it is called once, whatever the observer makes of it. */
export function runWithin<T>(observer: CallObserver, begun: AttemptBegun, work: () => T, events: EventBus): T {
  let result: { readonly value: T } | { readonly error: unknown } | undefined;
  const once = (): void => {
    if (result !== undefined) return;
    try {
      result = { value: work() };
    } catch (error) {
      result = { error };
    }
  };
  events.tell((told) => observer.run?.(once, told), begun);
  once();
  const end = result as unknown as { readonly value: T } | { readonly error: unknown };
  if ('error' in end) throw end.error;
  return end.value;
}
