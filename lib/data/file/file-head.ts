import { crc32 } from 'node:zlib';
import { DataUnavailableException } from '../port/errors.js';
import type { OpenFile } from './file-system.js';
import { readFully } from './file-system.js';

/** What stands at the beginning of a file. */
export interface FileHead {
  readonly type: 'journal' | 'snapshot';
  /** The number in the file's name. */
  readonly number: number;
  /** A journal's: the number of the journal that it goes on from; 0: of none. */
  readonly previous: number;
  /** The last sequence number of what came before (a journal), or of what it holds (a snapshot). */
  readonly sequence: number;
  /** How many records a snapshot holds; 0 for a journal. */
  readonly count: number;
  /** The highest version that was given out before; empty: none. */
  readonly version: string;
}

/** Its length, in bytes. */
export const HEAD_BYTES = 54;

const MAGIC = { journal: 'BULWARKJ', snapshot: 'BULWARKS' };
const FORMAT = 1;
const NO_VERSION = '0'.repeat(28);

/** Magic 8, format 4, number 6, previous 6, sequence 6, count 6, version 14, CRC-32 of all that 4. */
export function encodeHead(head: FileHead): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES);
  bytes.write(MAGIC[head.type], 0, 'latin1');
  bytes.writeUInt32BE(FORMAT, 8);
  bytes.writeUIntBE(head.number, 12, 6);
  bytes.writeUIntBE(head.previous, 18, 6);
  bytes.writeUIntBE(head.sequence, 24, 6);
  bytes.writeUIntBE(head.count, 30, 6);
  bytes.write(head.version === '' ? NO_VERSION : head.version, 36, 14, 'hex');
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 50)), 50);
  return bytes;
}

/**
 * The head of a file; undefined where what is there is no whole head of that type.
 *
 * @param name how messages call the file.
 * @throws DataUnavailableException for a format of another version of this package.
 */
export async function readHead(file: OpenFile, type: FileHead['type'], name: string): Promise<FileHead | undefined> {
  const bytes = Buffer.alloc(HEAD_BYTES);
  if ((await readFully(file, bytes, HEAD_BYTES, 0)) < HEAD_BYTES) return undefined;
  if (bytes.toString('latin1', 0, 8) !== MAGIC[type] || bytes.readUInt32BE(50) !== crc32(bytes.subarray(0, 50))) {
    return undefined;
  }
  const format = bytes.readUInt32BE(8);
  if (format !== FORMAT) throw new DataUnavailableException(`${name} is in format ${format}; expected ${FORMAT}`);
  const version = bytes.toString('hex', 36, 50);
  return {
    type,
    number: bytes.readUIntBE(12, 6),
    previous: bytes.readUIntBE(18, 6),
    sequence: bytes.readUIntBE(24, 6),
    count: bytes.readUIntBE(30, 6),
    version: version === NO_VERSION ? '' : version,
  };
}
