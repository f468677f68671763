import { maskCredentials } from '../../../errors/mask-credentials.js';
import type { Clock } from '../../../kernel/clock.js';
import { describeError } from '../../../kernel/error-text.js';
import { oneLine } from '../one-line.js';

/** So many are kept of each instance ... */
const MOST = 5;
/** ... no two of them closer together, ms: to word an error costs more than to count it. */
const APART_MS = 1_000;
const LONGEST_TEXT = 300;

/** An error as text: the error itself would keep alive whatever hangs on it. */
export interface LastError {
  /** Epoch ms. */
  readonly at: number;
  readonly text: string;
}

interface Known {
  lastAt: number;
  readonly errors: LastError[];
}

/** What the upstreams said of late, for those who may read it. */
export class LastErrors {
  readonly #known = new Map<string, Known>();

  constructor(private readonly clock: Clock) {}

  add(name: string, error: unknown): void {
    const now = this.clock.now();
    let known = this.#known.get(name);
    if (known === undefined) this.#known.set(name, (known = { lastAt: -Infinity, errors: [] }));
    if (now - known.lastAt < APART_MS) return;
    known.lastAt = now;
    known.errors.push({
      at: this.clock.wallNow(),
      text: oneLine(maskCredentials(describeError(error)), LONGEST_TEXT),
    });
    if (known.errors.length > MOST) known.errors.shift();
  }

  /** Oldest first. */
  of(name: string): readonly LastError[] {
    return [...(this.#known.get(name)?.errors ?? [])];
  }

  forget(name: string): void {
    this.#known.delete(name);
  }
}
