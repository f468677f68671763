import type { DataFile } from './data-file.js';
import type { FileHead } from './file-head.js';
import { HEAD_BYTES } from './file-head.js';
import type { FileTornTail } from './file-report.js';
import type { RecordView } from './record.js';
import { RecordReader } from './record-reader.js';

/** A journal that is to be read. */
export interface JournalFile {
  readonly number: number;
  readonly file: DataFile;
  /** Undefined where it has none that is whole. */
  readonly head: FileHead | undefined;
}

/** What is to be done with what is found. */
export interface JournalSink {
  onRecord(view: RecordView, file: DataFile, offset: number): void;
  /** May throw, to end the reading. */
  onDamage(file: DataFile, offset: number, problem: string): void;
}

export interface JournalEnd {
  /** The last sequence number that counts. */
  readonly sequence: number;
  readonly tornTail: FileTornTail | undefined;
}

/**
 * Reads the records of a journal.
 *
 * A record that is not whole is the torn tail of the last commit if no record of a later commit follows: a commit is
 * only written once the one before it was synced. Otherwise it is damage, and so it is in a journal that was followed
 * by another, which says where it ends.
 *
 * @param end the last sequence number that counts, where that is known.
 */
export async function readJournal(
  journal: JournalFile,
  end: number | undefined,
  sink: JournalSink,
): Promise<JournalEnd> {
  const { file } = journal;
  const reader = new RecordReader(file.handle, file.size);
  let sequence = journal.head?.sequence ?? (await firstSequence(reader)) - 1;
  for (let position = HEAD_BYTES; ;) {
    position = await reader.read(position, (view, offset) => {
      if (view.sequence !== sequence + 1 || sequence === end) return false;
      sink.onRecord(view, file, offset);
      sequence += 1;
      return true;
    });
    if (sequence === end) return { sequence, tornTail: undefined };
    const next = await nextRecord(reader, position, sequence);
    if (end === undefined && next?.isLater !== true) {
      return { sequence, tornTail: await tornTail(reader, file, position) };
    }
    sink.onDamage(file, position, `expected record ${sequence + 1}${behind(next)}`);
    if (next === undefined) return { sequence: end ?? sequence, tornTail: undefined };
    position = next.offset;
    sequence = next.sequence - 1;
  }
}

/**
 * What is to be made of a journal without a whole head. The head is synced together with the first commit, so a file
 * that holds at most one was never finished; one that holds more is damaged.
 */
export async function judgeHeadless({ file }: JournalFile): Promise<'damaged' | FileTornTail | undefined> {
  const reader = new RecordReader(file.handle, file.size);
  const first = await reader.find(0);
  if (first !== undefined && (await nextRecord(reader, 0, first.view.commit - 1))?.isLater === true) return 'damaged';
  return tornTail(reader, file, 0);
}

interface NextRecord {
  readonly sequence: number;
  readonly offset: number;
  /** Whether there is a record of a later commit than the one that should be next. */
  readonly isLater: boolean;
}

/** The next whole record behind `sequence`, at a place or behind it. */
async function nextRecord(reader: RecordReader, from: number, sequence: number): Promise<NextRecord | undefined> {
  let first: NextRecord | undefined;
  for (let found = await reader.find(from); found; found = await reader.find(found.offset + found.view.length)) {
    const { view, offset } = found;
    if (view.sequence <= sequence) continue;
    first ??= { sequence: view.sequence, offset, isLater: false };
    if (view.commit > sequence + 1) return { ...first, isLater: true };
  }
  return first;
}

async function firstSequence(reader: RecordReader): Promise<number> {
  return (await reader.find(0))?.view.sequence ?? 1;
}

/** Zeros are what was prepared for later records. */
async function tornTail(reader: RecordReader, file: DataFile, from: number): Promise<FileTornTail | undefined> {
  const end = await reader.endOfContent(from);
  return end === from ? undefined : { file: file.path, offset: from, bytes: end - from };
}

function behind(next: NextRecord | undefined): string {
  if (next === undefined) return ', which is not there';
  return `, but the next whole one is record ${next.sequence} at offset ${next.offset}`;
}
