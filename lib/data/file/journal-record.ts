/** What a key holds. */
export interface StoredEntry {
  /** The value's JSON text; undefined: a tombstone. */
  readonly text: string | undefined;
  readonly version: string;
}

/** One change of one key. */
export interface JournalRecord {
  /** Grows by one with each change in the folder's life. */
  readonly sequence: number;
  readonly key: string;
  /** What the key holds from then on; undefined: it is gone without a trace. */
  readonly entry: StoredEntry | undefined;
}

const NEWLINE = 0x0a;

/**
 * A record is a line of fields between tabs: `put`, sequence number, key as a JSON string, version, value as JSON;
 * `tombstone` without the last; or `delete` without the last two. JSON without indentation contains neither tab nor
 * newline.
 */
export function encodeRecord({ sequence, key, entry }: JournalRecord): string {
  const name = JSON.stringify(key);
  if (entry === undefined) return `delete\t${sequence}\t${name}\n`;
  const { version, text } = entry;
  return text === undefined
    ? `tombstone\t${sequence}\t${name}\t${version}\n`
    : `put\t${sequence}\t${name}\t${version}\t${text}\n`;
}

/** The records of a frame's body. Throws a SyntaxError for what {@link encodeRecord} never wrote. */
export function* decodeRecords(body: Buffer): Generator<JournalRecord, void, undefined> {
  let start = 0;
  while (start < body.length) {
    const end = body.indexOf(NEWLINE, start);
    if (end === -1) throw new SyntaxError('a record without an end');
    // One string a line: a part of a longer one would keep the whole frame in memory.
    yield decodeRecord(body.toString('utf8', start, end));
    start = end + 1;
  }
}

const FIELDS: Readonly<Record<string, number>> = { delete: 3, tombstone: 4, put: 5 };

function decodeRecord(line: string): JournalRecord {
  const fields = line.split('\t');
  const [verb = '', number, name, version, text] = fields;
  const sequence = Number(number);
  if (name === undefined || fields.length !== FIELDS[verb] || !Number.isSafeInteger(sequence)) {
    throw new SyntaxError('a record of an unknown kind');
  }
  const key = JSON.parse(name) as string;
  return { sequence, key, entry: version === undefined ? undefined : { version, text } };
}
