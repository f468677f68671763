import { showByJson } from '../show-by-json.js';
import type { Ingress } from '../../policies/system-protection/ingress.js';

/**
 * What stands before the app's HTTP server, to look at.
 *
 * @publicApi
 */
export class SystemProtectionHandle {
  static {
    showByJson(this);
  }

  readonly #ingress: Ingress;

  constructor(ingress: Ingress) {
    this.#ingress = ingress;
  }

  /** How many requests are worked on, exempt ones excluded. */
  get active(): number {
    return this.#ingress.active;
  }

  /** How many may be worked on at once now; Infinity where nothing limits them. */
  get limit(): number {
    return this.#ingress.limit;
  }

  /** How long the event loop was held up of late, on average, ms. */
  get loopDelayMs(): number {
    return this.#ingress.loopDelayMs;
  }

  /** How many requests were turned away since the start. */
  get shed(): number {
    return this.#ingress.shed;
  }

  /** What it shows, as plain data. */
  toJSON(): Pick<SystemProtectionHandle, 'active' | 'limit' | 'loopDelayMs' | 'shed'> {
    const { active, limit, loopDelayMs, shed } = this;
    return { active, limit, loopDelayMs, shed };
  }
}
