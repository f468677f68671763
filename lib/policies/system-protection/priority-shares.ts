/** What is kept from the least important, as a share of a limit. */
const RESERVE = 0.25;
/** A level that nobody has used for so long is forgotten, ms. */
const FORGET_MS = 10_000;
/** More levels than this are not told apart: a further one shares that of the next lower one. */
const MAX_LEVELS = 8;

interface Level {
  readonly priority: number;
  seenAt: number;
}

/**
 * How much of a limit each priority may use: the highest of those that come all of it, the lowest three quarters, the
 * others in between by their rank. So when a limit is reached the least important are turned away first, and what the
 * others need is there when they come; alone, anyone has it all.
 */
export class PriorityShares {
  /** The lowest first. */
  readonly #levels: Level[] = [];

  shareOf(priority: number, now: number): number {
    const levels = this.#levels;
    if (levels.some(({ seenAt }) => now - seenAt > FORGET_MS)) this.#forget(now);
    let rank = levels.findLastIndex((level) => level.priority <= priority);
    if (levels[rank]?.priority !== priority && levels.length < MAX_LEVELS)
      levels.splice(++rank, 0, { priority, seenAt: now });
    const level = levels[Math.max(rank, 0)] as Level;
    level.seenAt = now;
    const above = levels.length - 1 - Math.max(rank, 0);
    return above === 0 ? 1 : 1 - (RESERVE * above) / (levels.length - 1);
  }

  #forget(now: number): void {
    const kept = this.#levels.filter(({ seenAt }) => now - seenAt <= FORGET_MS);
    this.#levels.splice(0, Infinity, ...kept);
  }
}
