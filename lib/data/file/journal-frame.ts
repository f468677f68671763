import { crc32 } from 'node:zlib';
import type { BufferedReader } from './buffered-reader.js';

/** The first line of a journal: what it is, and in which version of the format. */
export const JOURNAL_HEADER = 'bulwark-journal 2\n';

/** A frame is closed once its body has grown to this many bytes, so it is never longer than this and one record. */
export const FRAME_BYTES = 4 * 1024 * 1024;

const LONGEST_BODY = 2 * FRAME_BYTES;
const HEAD = /^commit (\d+) (\d+) ([\da-f]{8})$/;

/** The first line of a frame, wherever it stands. No body holds one, since what a value says contains no newline. */
export const FRAME_HEAD = /commit \d{1,16} \d{1,16} [\da-f]{8}\n/g;

/** No first line of a frame is longer, in bytes. */
export const LONGEST_HEAD = 80;

/** What one commit wrote: all of it counts, or nothing. */
export interface Frame {
  /** The highest sequence number given out when it was written. */
  readonly sequence: number;
  readonly body: Buffer;
}

/** A frame is the line `commit <sequence> <bytes of body> <checksum>` and, behind it, that many bytes of records. */
export function encodeFrame(sequence: number, records: string): Buffer {
  const body = Buffer.from(records);
  const head = `commit ${sequence} ${body.length} ${checksum(sequence, body)}\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** The frame at the reader's place; undefined where what is there is no whole frame. */
export async function readFrame(reader: BufferedReader): Promise<Frame | undefined> {
  const head = HEAD.exec((await reader.line(LONGEST_HEAD))?.toString('latin1') ?? '');
  if (head === null) return undefined;
  const [sequence, bytes] = [Number(head[1]), Number(head[2])];
  if (bytes > LONGEST_BODY) return undefined;
  const body = await reader.take(bytes);
  return body !== undefined && checksum(sequence, body) === head[3] ? { sequence, body } : undefined;
}

function checksum(sequence: number, body: Buffer): string {
  return crc32(body, crc32(`${sequence} ${body.length}`))
    .toString(16)
    .padStart(8, '0');
}
