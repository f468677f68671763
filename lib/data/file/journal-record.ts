/** One change of one key. */
export interface JournalRecord {
  /** Grows by one with each change in the folder's life. */
  readonly sequence: number;
  readonly key: string;
  /** The value's JSON text; undefined for a delete. */
  readonly text: string | undefined;
}

const NEWLINE = 0x0a;

/**
 * A record is a line of fields between tabs: `put`, sequence number, key as a JSON string, value as JSON; or `delete`
 * without the last. JSON without indentation contains neither tab nor newline.
 */
export function encodeRecord({ sequence, key, text }: JournalRecord): string {
  const name = JSON.stringify(key);
  return text === undefined ? `delete\t${sequence}\t${name}\n` : `put\t${sequence}\t${name}\t${text}\n`;
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

function decodeRecord(line: string): JournalRecord {
  const [verb, number, name, text, ...rest] = line.split('\t');
  const sequence = Number(number);
  const isPut = verb === 'put' && text !== undefined;
  const isDelete = verb === 'delete' && text === undefined;
  if (name === undefined || rest.length > 0 || !Number.isSafeInteger(sequence) || !(isPut || isDelete)) {
    throw new SyntaxError('a record of an unknown kind');
  }
  return { sequence, key: JSON.parse(name) as string, text };
}
