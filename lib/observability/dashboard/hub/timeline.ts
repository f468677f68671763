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
  repeats: number;
  /** When it was last another one: {@link Timeline.revision}. */
  changedAt: number;
}

/** What was decided of late, the newest last. What repeats itself within a minute is one entry. */
export class Timeline {
  #entries: Kept[] = [];
  /** The newest entry of each kind. */
  readonly #newest = new Map<string, Kept>();
  readonly #keys = new Map<string, { since: number; kinds: number }>();
  #lastId = 0;
  /** Counts the changes. */
  revision = 0;

  /** @param at epoch ms. */
  add(told: Told, at: number): void {
    const { kind, group } = told;
    if (this.#repeats(kind, at, told.text)) return;
    if (group === undefined || !this.#isFull(group.name, at)) return this.#enter(told, kind, told.name, at);
    if (!this.#repeats(group.kind, at, group.text))
      this.#enter({ ...told, text: group.text }, group.kind, group.name, at);
  }

  /** Counts one more of a kind that was added within the minute. */
  count(kind: string, at: number): void {
    this.#repeats(kind, at, undefined);
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

  #repeats(kind: string, at: number, text: string | undefined): boolean {
    const known = this.#newest.get(kind);
    if (known === undefined || at - known.at >= MINUTE_MS) return false;
    known.repeats++;
    if (text !== undefined) known.text = text;
    known.changedAt = ++this.revision;
    return true;
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
    this.#newest.delete(kind);
    this.#newest.set(kind, entry);
    if (this.#entries.length > MOST_ENTRIES) this.#entries.shift();
    // The order of the map is the order of age.
    if (this.#newest.size > MOST_ENTRIES)
      for (const oldest of [...this.#newest.keys()].slice(0, 1)) this.#newest.delete(oldest);
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
