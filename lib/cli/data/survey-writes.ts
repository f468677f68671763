import type { DataEntriesOptions } from '../../data/port/data-options.js';
import type { DataWrite, ReplicableDataService } from '../../data/port/replicable-data.service.js';
import { formatKey } from '../shell/format.js';

const MOST_LARGEST = 10;
/** Keys that share no prefixes must not fill the memory. */
const MOST_PREFIXES = 1_000;
const MOST_PREFIXES_SHOWN = 20;
const OTHERS = '(others)';
const UNPREFIXED = '(no prefix)';

/** What a store holds, in numbers. */
export interface Survey {
  readonly entries: number;
  readonly deletes: number;
  readonly valueBytes: number;
  readonly keyBytes: number;
  readonly oldest: string | undefined;
  readonly newest: string | undefined;
  /** Largest value first. */
  readonly largest: readonly { readonly key: string; readonly bytes: number }[];
  /** Most entries first. */
  readonly prefixes: readonly PrefixCount[];
}

/** What lies below one prefix, or, named in brackets, elsewhere. */
export interface PrefixCount {
  readonly name: string;
  readonly entries: number;
  readonly bytes: number;
}

/** Reads all that a store holds and counts it. */
export async function surveyWrites(
  store: ReplicableDataService,
  { onWrite, ...reading }: DataEntriesOptions & { readonly onWrite?: (write: DataWrite) => void },
): Promise<Survey> {
  let [entries, deletes, valueBytes, keyBytes] = [0, 0, 0, 0];
  let [oldest, newest]: (string | undefined)[] = [];
  let largest: { key: string; bytes: number }[] = [];
  const prefixes = new PrefixCounts();
  for await (const write of store.writes(reading)) {
    const { key, text, version } = write;
    onWrite?.(write);
    if (oldest === undefined || version < oldest) oldest = version;
    if (newest === undefined || version > newest) newest = version;
    if (text === undefined) {
      deletes += 1;
      continue;
    }
    const bytes = Buffer.byteLength(text);
    entries += 1;
    valueBytes += bytes;
    keyBytes += Buffer.byteLength(key);
    prefixes.add(key, bytes);
    if (largest.length < MOST_LARGEST || bytes > (largest.at(-1)?.bytes ?? 0)) {
      largest = [...largest, { key, bytes }].sort((a, b) => b.bytes - a.bytes).slice(0, MOST_LARGEST);
    }
  }
  return { entries, deletes, valueBytes, keyBytes, oldest, newest, largest, prefixes: prefixes.list() };
}

class PrefixCounts {
  readonly #counts = new Map<string, { name: string; entries: number; bytes: number }>();

  add(key: string, bytes: number): void {
    const name = prefixOf(key);
    const known = this.#counts.has(name) || this.#counts.size < MOST_PREFIXES ? name : OTHERS;
    const count = this.#counts.get(known) ?? { name: known, entries: 0, bytes: 0 };
    count.entries += 1;
    count.bytes += bytes;
    this.#counts.set(known, count);
  }

  list(): PrefixCount[] {
    const all = [...this.#counts.values()].sort((a, b) => b.entries - a.entries);
    const rest = all.splice(MOST_PREFIXES_SHOWN);
    if (rest.length === 0) return all;
    const sum = (of: (count: PrefixCount) => number): number => rest.reduce((total, one) => total + of(one), 0);
    return [...all, { name: OTHERS, entries: sum(({ entries }) => entries), bytes: sum(({ bytes }) => bytes) }];
  }
}

/** `orders/` of `orders/42`. */
function prefixOf(key: string): string {
  const end = key.search(/[/:]/);
  return end < 0 ? UNPREFIXED : formatKey(key.slice(0, end + 1));
}
