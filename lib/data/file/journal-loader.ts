import type { FileHandle } from 'node:fs/promises';
import { DataDamagedException } from '../errors.js';
import { BufferedReader } from './buffered-reader.js';
import type { Frame } from './journal-frame.js';
import { FRAME_HEAD, JOURNAL_HEADER, LONGEST_HEAD, readFrame } from './journal-frame.js';
import type { JournalRecord } from './journal-record.js';
import { decodeRecords } from './journal-record.js';

/** Where the whole frames of a journal end. */
export interface LoadedJournal {
  readonly size: number;
  /** The highest sequence number that was given out. */
  readonly sequence: number;
}

/**
 * Reads a journal's records in the order in which they were written. A last frame that is not whole is left out: its
 * commit was never acknowledged.
 *
 * @throws DataDamagedException when something else than the end is not whole.
 */
export async function loadJournal(
  handle: FileHandle,
  file: string,
  onRecord: (record: JournalRecord) => void,
): Promise<LoadedJournal> {
  const reader = new BufferedReader(handle, 0);
  const header = await reader.take(JOURNAL_HEADER.length);
  if (header?.toString('latin1') !== JOURNAL_HEADER) {
    throw new DataDamagedException(file, 0, `expected it to begin with ${JSON.stringify(JOURNAL_HEADER)}`);
  }
  let loaded: LoadedJournal = { size: reader.position, sequence: 0 };
  while (!(await reader.atEnd())) {
    const frame = await readFrame(reader);
    if (frame === undefined) {
      await expectNoFrameAfter(handle, file, loaded);
      break;
    }
    applyFrame(frame, file, loaded, onRecord);
    loaded = { size: reader.position, sequence: frame.sequence };
  }
  return loaded;
}

function applyFrame(
  frame: Frame,
  file: string,
  before: LoadedJournal,
  onRecord: (record: JournalRecord) => void,
): void {
  if (frame.sequence < before.sequence) {
    throw new DataDamagedException(file, before.size, `commit ${frame.sequence} stands behind ${before.sequence}`);
  }
  try {
    for (const record of decodeRecords(frame.body)) onRecord(record);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new DataDamagedException(file, before.size, `commit ${frame.sequence} holds ${error.message}`);
  }
}

/** A whole commit behind a broken one was written after that had been synced, so it is no torn end. */
async function expectNoFrameAfter(handle: FileHandle, file: string, { size, sequence }: LoadedJournal): Promise<void> {
  for await (const offset of frameStartsAfter(handle, size)) {
    const frame = await readFrame(new BufferedReader(handle, offset));
    if (frame === undefined || frame.sequence < sequence) continue;
    throw new DataDamagedException(
      file,
      size,
      `no whole commit is there, but commit ${frame.sequence} stands behind it, at offset ${offset}`,
    );
  }
}

async function* frameStartsAfter(handle: FileHandle, position: number): AsyncGenerator<number, void, undefined> {
  const chunk = Buffer.allocUnsafe(1024 * 1024);
  // The pieces overlap, so that no head lies across two of them.
  for (let place = position; ; place += chunk.length - LONGEST_HEAD) {
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, place);
    for (const { index } of chunk.toString('latin1', 0, bytesRead).matchAll(FRAME_HEAD)) yield place + index;
    if (bytesRead < chunk.length) return;
  }
}
