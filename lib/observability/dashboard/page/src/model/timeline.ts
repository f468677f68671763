import type { TimelineEntry } from '../../../protocol.js';

/** More than anybody reads; a page that is open for days must not grow. */
const MOST_ENTRIES = 500;

/** Newest first: `entries` with those of `news`, which replace what has the same id. */
export function merge(entries: readonly TimelineEntry[], news: readonly TimelineEntry[]): readonly TimelineEntry[] {
  if (news.length === 0) return entries;
  const byId = new Map([...entries, ...news].map((entry) => [entry.id, entry]));
  return [...byId.values()].sort((one, other) => other.at - one.at || other.id - one.id).slice(0, MOST_ENTRIES);
}

/** Those of one instance, or those in which all words are. */
export function told(entries: readonly TimelineEntry[], words: string): readonly TimelineEntry[] {
  const terms = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (terms.length === 0) return entries;
  return entries.filter(({ name, policy, text }) => {
    const searched = `${name}\n${policy}\n${text}`.toLowerCase();
    return terms.every((term) => searched.includes(term));
  });
}
