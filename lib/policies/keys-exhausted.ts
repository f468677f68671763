import type { ResilienceEvent } from '../events/resilience-event.js';
import type { PolicyEnvironment } from './policy.js';

const EVERY_MS = 60_000;

/** Tells that a name has no room for more keys, at most once a minute. */
export class KeysExhausted {
  #toldAt = -Infinity;

  constructor(
    private readonly name: string,
    private readonly policy: Extract<ResilienceEvent, { type: 'keysExhausted' }>['policy'],
    private readonly environment: PolicyEnvironment,
  ) {}

  tell(maxKeys: number, now: number): void {
    const { events } = this.environment;
    if (!events.active || now - this.#toldAt < EVERY_MS) return;
    this.#toldAt = now;
    events.emit({ type: 'keysExhausted', name: `${this.name}[*]`, policy: this.policy, maxKeys });
  }
}
