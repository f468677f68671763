import { stackOf } from '../../errors/foreign.js';
import { textOf } from '../../kernel/error-text.js';
import type { CarefulLogger } from '../event-log/careful-logger.js';

const REPORT_EVERY_MS = 60_000;
/** From so many places on those that may be told of again are forgotten. */
const MAX_REPORTED = 1_000;

/** Tells the log what goes wrong outside of calls, once a minute for each place. */
export class Reports {
  readonly #reportedAt = new Map<string, number>();

  constructor(
    private readonly logger: CarefulLogger,
    private readonly now: () => number,
  ) {}

  /** What users' code has thrown where nobody waits for it. */
  callback(place: string, error: unknown): void {
    if (this.#isDue(place))
      this.logger.write('error', () => `${place} failed: ${textOf(error)}`, { stack: stackOf(error) });
  }

  manyNames(most: number): void {
    if (!this.#isDue('names of execute()')) return;
    this.logger.write(
      'warn',
      `execute() was given sets with more than ${most} names: the state of those that were not used for longest is forgotten; expected a name for each dependency, and the option 'key' for what varies`,
    );
  }

  #isDue(place: string): boolean {
    const now = this.now();
    if (now - (this.#reportedAt.get(place) ?? -Infinity) < REPORT_EVERY_MS) return false;
    if (this.#reportedAt.size >= MAX_REPORTED)
      for (const [told, at] of this.#reportedAt) if (now - at >= REPORT_EVERY_MS) this.#reportedAt.delete(told);
    this.#reportedAt.set(place, now);
    return true;
  }
}
