import type { DataFile } from './data-file.js';
import type { EntryStore } from './entry-store.js';
import { StoredEntry } from './entry-store.js';
import type { RecordView } from './record.js';
import { RECORD_KIND } from './record.js';

/** Does to a store what a record says that was read from a file. */
export function recordInto(store: EntryStore, view: RecordView, file: DataFile, offset: number): void {
  const { key, kind, version, length } = view;
  if (kind === RECORD_KIND.delete) store.delete(key, version);
  else store.set(key, new StoredEntry(version, kind === RECORD_KIND.tombstone, length, file, offset), undefined);
}
