import type { TimelineEntry } from '../protocol.js';
import type { Told } from './told.js';

/** So many entries are kept. */
export const MOST_ENTRIES = 500;
/** What happens again within it is counted, ms. */
const MINUTE_MS = 60_000;
/** So many keys of a name have entries of their own within a minute; the rest share one. */
const MOST_KEYS = 10;

interface Kept extends TimelineEntry {
  text: string;
  level: Told['level'];
  repeats: number;
  /** When it was last another one: {@link Timeline.revision}. */
  changedAt: number;
}

/** What is alike, and came within one minute. */
interface Minute {
  readonly since: number;
  readonly newest: Kept;
  /** How many have entries of their own. */
  readonly own: number;
}

/** What was decided of late, the newest last. What repeats itself within a minute is one entry. */
export class Timeline {
  #entries: Kept[] = [];
  /** The last minute of each kind. */
  readonly #minutes = new Map<string, Minute>();
  readonly #keys = new Map<string, { since: number; kinds: number }>();
  #lastId = 0;
  /** Counts the changes. */
  revision = 0;

  /** @param at epoch ms. */
  add(told: Told, at: number): void {
    const { kind, group } = told;
    const minute = this.#minute(kind, at);
    if (minute !== undefined && minute.own >= told.own) return this.#repeat(minute, told);
    // A kind that has an entry has the next one too: a state that has changed back must not be missed.
    if (minute !== undefined || group === undefined || !this.#isFull(group.name, at))
      return this.#enter(told, kind, told.name, at);
    const many = this.#minute(group.kind, at);
    if (many !== undefined) this.#repeat(many, many.newest);
    else this.#enter({ ...told, text: group.text }, group.kind, group.name, at);
  }

  /** Counts one more of a kind that was added within the minute. */
  count(kind: string, at: number): void {
    const minute = this.#minute(kind, at);
    if (minute !== undefined) this.#repeat(minute, minute.newest);
  }

  /** The newest ones, oldest first. */
  newest(most: number): TimelineEntry[] {
    return this.#entries.slice(-most).map(shown);
  }

  /** The newest of those that have changed since a revision, oldest first. */
  since(revision: number, most: number): TimelineEntry[] {
    if (revision === this.revision) return [];
    return this.#entries
      .filter(({ changedAt }) => changedAt > revision)
      .slice(-most)
      .map(shown);
  }

  #minute(kind: string, at: number): Minute | undefined {
    const minute = this.#minutes.get(kind);
    return minute === undefined || at - minute.since >= MINUTE_MS ? undefined : minute;
  }

  #repeat({ newest }: Minute, { text, level }: Pick<Told, 'text' | 'level'>): void {
    newest.repeats++;
    newest.text = text;
    newest.level = level;
    newest.changedAt = ++this.revision;
  }

  #enter({ type, policy, text, level }: Told, kind: string, name: string, at: number): void {
    const entry: Kept = {
      id: ++this.#lastId,
      at,
      type,
      name,
      policy,
      text,
      level,
      repeats: 0,
      changedAt: ++this.revision,
    };
    this.#entries.push(entry);
    const { since, own } = this.#minute(kind, at) ?? { since: at, own: 0 };
    this.#minutes.delete(kind);
    this.#minutes.set(kind, { since, newest: entry, own: own + 1 });
    if (this.#entries.length > MOST_ENTRIES) this.#entries.shift();
    if (this.#minutes.size <= MOST_ENTRIES) return;
    // The order of the map is the order of age.
    const [oldest] = this.#minutes.keys();
    if (oldest !== undefined) this.#minutes.delete(oldest);
  }

  #isFull(group: string, at: number): boolean {
    let keys = this.#keys.get(group);
    if (keys === undefined || at - keys.since >= MINUTE_MS) {
      if (this.#keys.size > MOST_ENTRIES) this.#keys.clear();
      keys = { since: at, kinds: 0 };
      this.#keys.set(group, keys);
    }
    return ++keys.kinds > MOST_KEYS;
  }
}

function shown({ id, at, type, name, policy, text, level, repeats }: Kept): TimelineEntry {
  return { id, at, type, name, policy, text, level, repeats };
}
