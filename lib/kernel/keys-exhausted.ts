import type { ResilienceEvent } from '../events/resilience-event.js';
import type { PolicyEnvironment } from './policy.js';

const EVERY_MS = 60_000;

/** Tells that a name has no room for more keys: an event a minute at most; in between it is only counted. */
export class KeysExhausted {
  #toldAt = -Infinity;
  readonly #all: string;

  constructor(
    name: string,
    private readonly policy: Extract<ResilienceEvent, { type: 'keysExhausted' }>['policy'],
    private readonly environment: PolicyEnvironment,
  ) {
    this.#all = `${name}[*]`;
  }

  tell(maxKeys: number, now: number): void {
    const { events } = this.environment;
    if (!events.hearsChanges) return;
    if (now - this.#toldAt < EVERY_MS) return events.repeat('keysExhausted', this.#all);
    this.#toldAt = now;
    events.emitChange({ type: 'keysExhausted', name: this.#all, policy: this.policy, maxKeys });
  }
}
