import type { ResilienceEvent } from 'nestjs-bulwark';
import { textOf } from './describe.js';

/**
 * What one engine has told since the last look. Events belong to no call that a listener could know. So their order is
 * compared as it is where only one call was under way; where several were, which of them goes first in an instant that
 * they share is nobody's promise, and the order is compared for each policy by itself.
 */
export class EventsInOrder {
  /** How many calls were under way since the last look. */
  waiting = 0;
  #events: Omit<ResilienceEvent, 'at'>[] = [];

  add({ at: _, ...event }: ResilienceEvent): void {
    this.#events.push(event);
  }

  /** @param waiting how many calls are under way now. */
  take(waiting: number): string[] {
    const events = this.#events.splice(0);
    if (this.waiting > 1) events.sort((a, b) => (a.policy < b.policy ? -1 : a.policy > b.policy ? 1 : 0));
    this.waiting = waiting;
    return events.map((event) => `event ${textOf(event)}`);
  }
}
