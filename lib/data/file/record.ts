import { crc32 } from 'node:zlib';
import { MAX_KEY_BYTES } from '../port/key.js';
import { MAX_VALUE_BYTES } from '../port/value.js';

/** What a record says of its key. */
export const RECORD_KIND = { put: 1, delete: 2, tombstone: 3 } as const;

export type RecordKind = (typeof RECORD_KIND)[keyof typeof RECORD_KIND];

/** The first four bytes of a record. No text in UTF-8 holds 0xFF, so neither a key nor a value can look like one. */
export const RECORD_MAGIC = Buffer.from([0xff, 0x42, 0x57, 0x52]);

/** A record in a commit knows its place in it by two bytes. */
export const LONGEST_COMMIT = 0xffff;

const MAGIC = RECORD_MAGIC.readUInt32BE();
const HEAD_BYTES = 20;
const CHECKSUM_BYTES = 4;
const VERSION_BYTES = 14;
const KEY_AT = HEAD_BYTES + 1 + VERSION_BYTES + 2;

/** What a record takes besides its key and its value. */
export const RECORD_OVERHEAD = KEY_AT + CHECKSUM_BYTES;

/** No record is longer, in bytes. */
export const LONGEST_RECORD = RECORD_OVERHEAD + MAX_KEY_BYTES + MAX_VALUE_BYTES;

/** Where a text is short, room for the worst case costs less than counting its bytes. */
const SHORT_TEXT = 1024;

/** How many bytes a record may take, at most. */
export function roomFor(key: string, text: string): number {
  return RECORD_OVERHEAD + 3 * key.length + (text.length <= SHORT_TEXT ? 3 * text.length : Buffer.byteLength(text));
}

/**
 * Writes a record, for which {@link roomFor} must be left, and returns its length. All numbers are big-endian:
 *
 *     0  magic             4
 *     4  length of body    4
 *     8  sequence number   6   grows by one with each record of the folder's life
 *    14  place in commit   2   0 for the first record of a commit
 *    16  checksum          4   CRC-32 of the 16 bytes before
 *    20  body: kind 1, version 14, length of key 2, key, value's JSON text
 *     .  checksum          4   CRC-32 of the body, begun with the checksum of the head
 */
export function writeRecord(
  bytes: Buffer,
  at: number,
  sequence: number,
  place: number,
  kind: RecordKind,
  version: string,
  key: string,
  text: string,
): number {
  const keyAt = at + KEY_AT;
  const keyBytes = bytes.write(key, keyAt);
  const end = keyAt + keyBytes + (text === '' ? 0 : bytes.write(text, keyAt + keyBytes));
  bytes[at + HEAD_BYTES] = kind;
  bytes.write(version, at + HEAD_BYTES + 1, VERSION_BYTES, 'hex');
  bytes.writeUInt16BE(keyBytes, keyAt - 2);
  writeHead(bytes, at, end - at - HEAD_BYTES, sequence, place);
  bytes.writeUInt32BE(bodyChecksum(bytes, at, end), end);
  return end + CHECKSUM_BYTES - at;
}

function writeHead(bytes: Buffer, at: number, bodyBytes: number, sequence: number, place: number): void {
  bytes.writeUInt32BE(MAGIC, at);
  bytes.writeUInt32BE(bodyBytes, at + 4);
  bytes.writeUIntBE(sequence, at + 8, 6);
  bytes.writeUInt16BE(place, at + 14);
  bytes.writeUInt32BE(headChecksum(bytes, at), at + 16);
}

function headChecksum(bytes: Buffer, at: number): number {
  return crc32(bytes.subarray(at, at + 16));
}

function bodyChecksum(bytes: Buffer, at: number, end: number): number {
  return crc32(bytes.subarray(at + HEAD_BYTES, end), bytes.readUInt32BE(at + 16));
}

/** Shows a record in a buffer. One view is used for many, one after the other, since a file holds millions. */
export class RecordView {
  sequence = 0;
  /** Its place in its commit. */
  place = 0;
  kind: RecordKind = RECORD_KIND.put;
  /** Of the whole record, in bytes. */
  length = 0;
  #bytes: Buffer = RECORD_MAGIC;
  #keyAt = 0;
  #textAt = 0;

  /** Moves to a place in `bytes` and says what is there: `short` where a record goes on beyond `end`. */
  show(bytes: Buffer, at: number, end: number): 'whole' | 'short' | 'bad' {
    if (end - at < RECORD_OVERHEAD) return 'short';
    if (bytes.readUInt32BE(at) !== MAGIC || bytes.readUInt32BE(at + 16) !== headChecksum(bytes, at)) return 'bad';
    const bodyBytes = bytes.readUInt32BE(at + 4);
    const bodyEnd = at + HEAD_BYTES + bodyBytes;
    this.length = HEAD_BYTES + bodyBytes + CHECKSUM_BYTES;
    if (this.length < RECORD_OVERHEAD || this.length > LONGEST_RECORD) return 'bad';
    if (bodyEnd + CHECKSUM_BYTES > end) return 'short';
    if (bytes.readUInt32BE(bodyEnd) !== bodyChecksum(bytes, at, bodyEnd)) return 'bad';
    this.sequence = bytes.readUIntBE(at + 8, 6);
    this.place = bytes.readUInt16BE(at + 14);
    this.kind = bytes[at + HEAD_BYTES] as RecordKind;
    this.#bytes = bytes;
    this.#keyAt = at + KEY_AT;
    this.#textAt = this.#keyAt + bytes.readUInt16BE(this.#keyAt - 2);
    return 'whole';
  }

  /** The sequence number of the first record of its commit. */
  get commit(): number {
    return this.sequence - this.place;
  }

  get version(): string {
    return this.#bytes.toString('hex', this.#keyAt - 2 - VERSION_BYTES, this.#keyAt - 2);
  }

  get key(): string {
    return this.#bytes.toString('utf8', this.#keyAt, this.#textAt);
  }

  get text(): string {
    return this.#bytes.toString('utf8', this.#textAt, this.#textEnd);
  }

  /** A copy of the record under another number, as the first of its commit, at a place in other bytes. */
  copyTo(bytes: Buffer, at: number, sequence: number): void {
    const start = this.#keyAt - KEY_AT;
    this.#bytes.copy(bytes, at, start, start + this.length);
    writeHead(bytes, at, this.length - HEAD_BYTES - CHECKSUM_BYTES, sequence, 0);
    const end = at + this.length - CHECKSUM_BYTES;
    bytes.writeUInt32BE(bodyChecksum(bytes, at, end), end);
  }

  get #textEnd(): number {
    return this.#keyAt - KEY_AT + this.length - CHECKSUM_BYTES;
  }
}
