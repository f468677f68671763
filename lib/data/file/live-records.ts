import { setImmediate as nextTurn } from 'node:timers/promises';
import { DataDamagedException } from '../port/errors.js';
import type { DataFile } from './data-file.js';
import type { FrozenEntries, StoredEntry } from './entry-store.js';
import { HEAD_BYTES } from './file-head.js';
import { RecordReader } from './record-reader.js';
import type { SnapshotWriter } from './snapshot-writer.js';

/** How many records are looked at before timers and I/O get their turn. */
const RECORDS_PER_TURN = 1_000;

/** What goes on while live records are copied. */
export interface CopyOptions {
  readonly onCopied?: (entry: StoredEntry, offset: number) => void;
  readonly onPiece?: (doneBytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Copies the records that count from files that nobody writes to any more.
 *
 * @throws DataDamagedException where one of them can no longer be read.
 */
export async function copyLiveRecords(
  files: readonly DataFile[],
  frozen: FrozenEntries,
  writer: SnapshotWriter,
  options: CopyOptions = {},
): Promise<void> {
  let firstGap: { file: DataFile; offset: number } | undefined;
  let done = 0;
  for (const file of files) {
    const reader = new RecordReader(file.handle, file.size);
    for (let position = HEAD_BYTES; position < file.size;) {
      options.signal?.throwIfAborted();
      const stopped = await copyPiece(reader, position, file, frozen, writer, options);
      if (stopped.atGap) {
        firstGap ??= { file, offset: stopped.position };
        position = (await reader.find(stopped.position))?.offset ?? file.size;
      } else {
        position = stopped.position;
      }
      await writer.flush();
      options.onPiece?.(done + position);
      await nextTurn();
    }
    done += file.size;
  }
  if (writer.count === frozen.count) return;
  const { file, offset } = firstGap ?? { file: files[0] as DataFile, offset: 0 };
  throw new DataDamagedException(file.path, offset, 'a record that was there can no longer be read');
}

async function copyPiece(
  reader: RecordReader,
  from: number,
  file: DataFile,
  frozen: FrozenEntries,
  writer: SnapshotWriter,
  { onCopied }: CopyOptions,
): Promise<{ position: number; atGap: boolean }> {
  let looked = 0;
  let paused = false;
  const position = await reader.read(from, (view, offset) => {
    paused = writer.isFull || ++looked > RECORDS_PER_TURN;
    if (paused) return false;
    const entry = frozen.at(view.key, file, offset);
    if (entry === undefined) return true;
    const place = writer.add(view);
    onCopied?.(entry, place);
    return true;
  });
  return { position, atGap: !paused && position < file.size };
}
