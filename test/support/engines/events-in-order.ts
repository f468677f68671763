import type { ResilienceEvent } from 'nestjs-bulwark';
import { textOf } from './describe.js';

/** Policies in which calls meet: what they tell of one call follows from what they told of another. */
const SHARED: ReadonlySet<string> = new Set(['circuitBreaker', 'rateLimit', 'bulkhead']);

/** What a breaker concludes, and from what. */
const JUDGEMENTS: ReadonlySet<string> = new Set(['success', 'failure', 'stateChange']);

/**
 * What one engine has told since the last look. Events belong to no call that a listener could know. So their order is
 * compared as it is where only one call was under way; where several were, which of them goes first in an instant that
 * they share is nobody's promise: then it is the order in which each shared policy
 * judged, refused, or told of anything else.
 */
export class EventsInOrder {
  /** How many calls were under way since the last look. */
  waiting = 0;
  #events: ResilienceEvent[] = [];

  /** @param nested whether a call may hold another, or several attempts at once. */
  constructor(readonly nested: boolean) {}

  add(event: ResilienceEvent): void {
    this.#events.push(event);
  }

  /** @param waiting how many calls are under way now. */
  take(waiting: number): string[] {
    const several = this.nested || this.waiting > 1;
    this.waiting = waiting;
    const told = this.#events
      .splice(0)
      .filter((event) => !isRefusalThatWasNone(event))
      .map(({ at: _, ...event }) => ({ event, text: `event ${textOf(withoutReason(event))}` }));
    if (several) told.sort((a, b) => compare(this.#place(a), this.#place(b)));
    return told.map(({ text }) => text);
  }

  #place({ event, text }: { event: { policy: string; name: string; type: string }; text: string }): string {
    const { policy, name, type } = event;
    if (!SHARED.has(policy) || this.nested) return text;
    // What a breaker ignores changes nothing, so there is no order in it.
    if (type === 'ignored') return `${policy} ${name} ${text}`;
    return `${policy} ${name} ${JUDGEMENTS.has(type) ? '' : type}`;
  }
}

/** A bulkhead that only watches: whether it met a slot that came free in the same turn is an accident of the engine. */
function isRefusalThatWasNone(event: ResilienceEvent): boolean {
  return event.type === 'refused' && event.policy === 'bulkhead' && event.metricsOnly === true;
}

/** Why a breaker changed its state is text for people. */
function withoutReason<E extends object>(event: E & { type: string }): object {
  return event.type === 'stateChange' ? { ...event, reason: undefined } : event;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
