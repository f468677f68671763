import type { Clock } from '../../kernel/clock.js';
import type { CarefulLogger } from './careful-logger.js';
import type { Level } from './log-line.js';
import type { LogFields } from './log-fields.js';

const MINUTE_MS = 60_000;
/** So many kinds of a group have lines of their own within a minute; the rest share one. */
const MAX_OF_GROUP = 10;
/** From so many kinds on those that may have a whole line again are forgotten. */
const MAX_KINDS = 1_000;

/** Something that may have to be said again and again. */
export interface Saying {
  /** What is alike has one line a minute. */
  readonly kind: string;
  readonly level: Level;
  readonly text: () => string;
  readonly stack?: () => string | undefined;
  readonly fields: LogFields;
  /** What stands before the number of repeats. */
  readonly again: string;
  /** Kinds that there may be any number of, such as those of keys. */
  readonly group?: { readonly name: string; readonly again: string } | undefined;
}

interface Said {
  at: number;
  count: number;
  level: Level;
  again: string;
  fields: LogFields;
}

/**
 * Writes what is said for the first time at once, and counts what is said again within a minute: one line tells how
 * often, as soon as something is said after that minute, or at the end. So there is no timer.
 */
export class Repeats {
  readonly #said = new Map<string, Said>();
  readonly #groups = new Map<string, { since: number; kinds: number }>();
  /** When the first of what was counted may be told. */
  #dueAt = Infinity;
  #closed = false;

  constructor(
    private readonly clock: Clock,
    private readonly logger: CarefulLogger,
  ) {}

  say(saying: Saying): void {
    const now = this.clock.now();
    this.#tellDue(now);
    if (this.#isRepeat(saying.kind, now)) return;
    let { kind, again, fields } = saying;
    const { group, level } = saying;
    if (group !== undefined && this.#isFull(group.name, now)) {
      kind = `${group.name} *`;
      ({ again } = group);
      fields = { event: fields.event, policy: fields.policy };
      if (this.#isRepeat(kind, now)) return;
    }
    if (this.#said.size >= MAX_KINDS) this.#forget(now);
    this.#said.set(kind, { at: now, count: 0, level, again, fields });
    this.logger.write(level, saying.text, { stack: saying.stack?.(), fields: saying.fields });
  }

  /** Counts one more of what was said, if it was. */
  count(kind: string): void {
    const now = this.clock.now();
    this.#tellDue(now);
    this.#isRepeat(kind, now);
  }

  /** Tells what was counted; from now on nothing is counted any more. */
  close(): void {
    this.#closed = true;
    for (const said of this.#said.values()) this.#tell(said);
    this.#said.clear();
    this.#groups.clear();
  }

  #isRepeat(kind: string, now: number): boolean {
    const said = this.#said.get(kind);
    if (said === undefined || now - said.at >= MINUTE_MS) return false;
    if (this.#closed) return true;
    said.count++;
    this.#dueAt = Math.min(this.#dueAt, said.at + MINUTE_MS);
    return true;
  }

  #isFull(name: string, now: number): boolean {
    let group = this.#groups.get(name);
    if (group === undefined || now - group.since >= MINUTE_MS) {
      if (this.#groups.size >= MAX_KINDS) this.#groups.clear();
      group = { since: now, kinds: 0 };
      this.#groups.set(name, group);
    }
    return ++group.kinds > MAX_OF_GROUP;
  }

  /** Tells what was counted in minutes that are over. */
  #tellDue(now: number): void {
    if (now < this.#dueAt) return;
    this.#dueAt = Infinity;
    for (const said of this.#said.values()) {
      if (said.count === 0) continue;
      if (now < said.at + MINUTE_MS) this.#dueAt = Math.min(this.#dueAt, said.at + MINUTE_MS);
      else {
        this.#tell(said);
        said.at = now;
      }
    }
  }

  #tell(said: Said): void {
    if (said.count === 0) return;
    const fields = { ...said.fields, repeats: said.count };
    this.logger.write(said.level, `${said.again} ... ${said.count} more in the last minute`, { fields });
    said.count = 0;
  }

  #forget(now: number): void {
    for (const [kind, { at, count }] of this.#said) if (count === 0 && now - at >= MINUTE_MS) this.#said.delete(kind);
  }
}
