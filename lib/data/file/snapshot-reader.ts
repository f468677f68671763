import type { DataFile } from './data-file.js';
import type { FileHead } from './file-head.js';
import { HEAD_BYTES } from './file-head.js';
import type { JournalSink } from './journal-reader.js';
import { RecordReader } from './record-reader.js';

/**
 * Reads the records of a snapshot or a backup. It got its name when it was complete and synced, so whatever is missing
 * is damage.
 *
 * @param head undefined where it is damaged.
 */
export async function readSnapshot(file: DataFile, head: FileHead | undefined, sink: JournalSink): Promise<void> {
  const reader = new RecordReader(file.handle, file.size);
  let number = 0;
  for (let position = HEAD_BYTES; ;) {
    position = await reader.read(position, (view, offset) => {
      if (view.sequence !== number + 1) return false;
      sink.onRecord(view, file, offset);
      number += 1;
      return true;
    });
    if (position >= file.size && number === (head?.count ?? number)) return;
    const found = await reader.find(position);
    sink.onDamage(file, position, `expected record ${number + 1} of ${head?.count ?? 'an unknown number'}`);
    if (found === undefined || found.view.sequence <= number) return;
    position = found.offset;
    number = found.view.sequence - 1;
  }
}
