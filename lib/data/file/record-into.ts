import type { DataFile } from './data-file.js';
import type { EntryStore } from './entry-store.js';
import { StoredEntry } from './entry-store.js';
import type { RecordView } from './record.js';
import { RECORD_KIND } from './record.js';

/** Does to a store what a record says that was read from a file; `loaded` ends it. */
export function recordInto(store: EntryStore, view: RecordView, file: DataFile, offset: number): void {
  const { key, kind, version, length } = view;
  const isTombstone = kind === RECORD_KIND.tombstone;
  const entry = kind === RECORD_KIND.delete ? undefined : new StoredEntry(version, isTombstone, length, file, offset);
  store.load(key, version, entry);
}
