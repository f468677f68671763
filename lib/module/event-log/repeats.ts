import type { Clock, Timer } from '../../kernel/clock.js';
import type { CarefulLogger } from './careful-logger.js';
import type { Level } from './log-line.js';
import type { LogFields } from './log-fields.js';

const MINUTE_MS = 60_000;
/** So many changes of one state have lines of their own within a minute. */
const MAX_CHANGES = 10;
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
  /**
   * It tells of a state: what the last line says of it has to be so now. The first ten changes within a minute, and each that is
   * `ordered`, have lines of their own. More are counted, and the line that tells so, a minute later, says what the last has said.
   */
  readonly state?: 'changed' | 'ordered' | undefined;
  /** Kinds that there may be any number of, such as those of keys. */
  readonly group?: { readonly name: string; readonly again: string } | undefined;
}

interface Said {
  at: number;
  /** How many of those have come that may be counted. */
  lines: number;
  /** How many were counted since. */
  count: number;
  /** What the line that counts says. */
  last: Pick<Saying, 'level' | 'again' | 'fields' | 'state'>;
}

/**
 * Writes what is said for the first time at once, and counts what is said again within a minute: one line tells how
 * often, as soon as something is said after that minute, or at the end. So there is no timer, but while changes of a state
 * are counted: what the last line says of a state has to be so.
 */
export class Repeats {
  readonly #said = new Map<string, Said>();
  readonly #groups = new Map<string, { since: number; kinds: number }>();
  /** When the first of what was counted may be told. */
  #dueAt = Infinity;
  #timer: Timer | undefined;
  #wakesAt = Infinity;
  #closed = false;

  constructor(
    private readonly clock: Clock,
    private readonly logger: CarefulLogger,
  ) {}

  say(saying: Saying): void {
    const now = this.clock.now();
    this.#tellDue(now);
    const { group, state } = saying;
    let said = this.#recent(saying.kind, now);
    if (said !== undefined && state !== undefined) {
      said.last = saying;
      if (state === 'changed' && ++said.lines > MAX_CHANGES) return this.#countOne(said);
      return this.#write(saying);
    }
    let { kind } = saying;
    let last: Said['last'] = saying;
    if (said === undefined && group !== undefined && state !== 'ordered' && this.#isFull(group.name, now)) {
      const { event, policy } = saying.fields;
      kind = `${group.name} *`;
      // Of many keys: what it says is no state, and can wait.
      last = { ...saying, again: group.again, fields: { event, policy }, state: undefined };
      said = this.#recent(kind, now);
    }
    if (said !== undefined) return this.#countOne(said);
    if (this.#said.size >= MAX_KINDS) this.#forget(now);
    this.#said.set(kind, { at: now, lines: state === 'ordered' ? 0 : 1, count: 0, last });
    this.#write(saying);
  }

  /** Counts one more of what was said, if it was. */
  count(kind: string): void {
    const now = this.clock.now();
    this.#tellDue(now);
    const said = this.#recent(kind, now);
    if (said !== undefined) this.#countOne(said);
  }

  /** Tells what was counted; from now on nothing is counted any more. */
  close(): void {
    this.#closed = true;
    this.#sleep();
    for (const said of this.#said.values()) this.#tell(said);
    this.#said.clear();
    this.#groups.clear();
  }

  #write({ level, text, stack, fields }: Saying): void {
    this.logger.write(level, text, { stack: stack?.(), fields });
  }

  /** What was said of a kind within the last minute. */
  #recent(kind: string, now: number): Said | undefined {
    const said = this.#said.get(kind);
    return said === undefined || now - said.at >= MINUTE_MS ? undefined : said;
  }

  #countOne(said: Said): void {
    if (this.#closed) return;
    said.count++;
    this.#dueAt = Math.min(this.#dueAt, said.at + MINUTE_MS);
    if (said.last.state !== undefined) this.#wake();
  }

  /** Looks again when the first of what was counted may be told. */
  #wake(): void {
    if (this.#dueAt >= this.#wakesAt) return;
    this.#sleep();
    this.#wakesAt = this.#dueAt;
    this.#timer = this.clock.setTimeout(() => this.#onTime(), Math.max(1, this.#dueAt - this.clock.now()));
    this.#timer.unref();
  }

  #onTime(): void {
    this.#sleep();
    this.#tellDue(this.clock.now());
    if (this.#dueAt < Infinity) this.#wake();
  }

  #sleep(): void {
    if (this.#timer !== undefined) this.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wakesAt = Infinity;
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
        Object.assign(said, { at: now, lines: 1, count: 0 });
      }
    }
  }

  #tell({ count, last: { level, again, fields } }: Said): void {
    if (count === 0) return;
    this.logger.write(level, `${again} ... ${count} more in the last minute`, {
      fields: { ...fields, repeats: count },
    });
  }

  #forget(now: number): void {
    for (const [kind, { at, count }] of this.#said) if (count === 0 && now - at >= MINUTE_MS) this.#said.delete(kind);
  }
}
