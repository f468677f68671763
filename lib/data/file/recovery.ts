import { DataDamagedException } from '../port/errors.js';
import { DataFile } from './data-file.js';
import { readHead } from './file-head.js';
import { journalPath, listFiles, snapshotPath } from './file-names.js';
import type { FileDamage, FileDataProgress, FileTornTail } from './file-report.js';
import type { FileSystem } from './file-system.js';
import { isMissing } from './file-system.js';
import { chainOf } from './journal-chain.js';
import type { JournalFile } from './journal-reader.js';
import { judgeHeadless, readJournal } from './journal-reader.js';
import type { RecordView } from './record.js';
import { readSnapshot } from './snapshot-reader.js';

/** How a folder is read. */
export interface RecoveryOptions {
  /** Only journals of a lower number. */
  readonly before: number;
  /** Goes on behind what is damaged; otherwise that is thrown. */
  readonly tolerant: boolean;
  onRecord(view: RecordView, file: DataFile, offset: number): void;
  readonly onProgress?: ((progress: FileDataProgress) => void) | undefined;
}

/** What {@link recover} found. */
export interface Recovered {
  /** The files in use, open; the last one is the last journal. */
  readonly files: readonly DataFile[];
  /** The last sequence number that counts. */
  readonly sequence: number;
  /** The highest version that is noted in the head of a file. */
  readonly version: string;
  /** The number of the last journal with a record that counts; 0: none. */
  readonly previous: number;
  readonly records: number;
  readonly damage: readonly FileDamage[];
  readonly tornTail: FileTornTail | undefined;
}

/** How often a folder is listed anew where a file has gone meanwhile: its owner has put a snapshot in its place. */
const MOST_ATTEMPTS = 10;

/**
 * Reads all records of a folder, in the order in which they were written.
 *
 * @param begin called before each attempt; what the one before has read does not count.
 * @throws DataDamagedException unless it is told to be tolerant.
 */
export async function recover(
  fileSystem: FileSystem,
  folder: string,
  options: RecoveryOptions,
  begin: () => void,
): Promise<Recovered> {
  for (let attempt = 1; ; attempt++) {
    begin();
    const recovery = new Recovery(fileSystem, folder, options);
    try {
      return await recovery.run();
    } catch (error) {
      await recovery.closeAll();
      if (!isMissing(error) || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

class Recovery {
  readonly #opened: DataFile[] = [];
  readonly #damage: FileDamage[] = [];
  #tornTail: FileTornTail | undefined;
  #records = 0;
  #sequence = 0;
  #previous = 0;
  #version = '';
  #doneBytes = 0;

  constructor(
    private readonly fileSystem: FileSystem,
    private readonly folder: string,
    private readonly options: RecoveryOptions,
  ) {}

  async run(): Promise<Recovered> {
    const names = await listFiles(this.fileSystem, this.folder);
    const snapshot = names.snapshots.at(-1) ?? 0;
    const journals: JournalFile[] = [];
    for (const number of names.journals) {
      if (number >= snapshot && number < this.options.before) journals.push(await this.#openJournal(number));
    }
    const snapshotFile = snapshot === 0 ? undefined : await this.#open(snapshotPath(this.folder, snapshot));
    const chain = await this.#chain(journals, snapshot);
    if (snapshotFile !== undefined) await this.#readSnapshot(snapshotFile, snapshot);
    for (const [index, journal] of chain.entries()) await this.#readJournal(journal, chain[index + 1]);
    const files = [...(snapshotFile === undefined ? [] : [snapshotFile]), ...chain.map(({ file }) => file)];
    for (const file of this.#opened) if (!files.includes(file)) await file.release();
    return {
      files,
      sequence: this.#sequence,
      version: this.#version,
      previous: this.#previous,
      records: this.#records,
      damage: this.#damage,
      tornTail: this.#tornTail,
    };
  }

  async closeAll(): Promise<void> {
    for (const file of this.#opened) await file.release();
  }

  async #open(path: string): Promise<DataFile> {
    const file = new DataFile(path, await this.fileSystem.open(path, 'read'));
    this.#opened.push(file);
    file.size = await file.handle.size();
    return file;
  }

  async #openJournal(number: number): Promise<JournalFile> {
    const file = await this.#open(journalPath(this.folder, number));
    const head = await readHead(file.handle, 'journal', file.path);
    return { number, file, head: head?.number === number ? head : undefined };
  }

  /** The journals to read. One without a head behind all others was begun, but nothing in it was acknowledged. */
  async #chain(journals: readonly JournalFile[], snapshot: number): Promise<readonly JournalFile[]> {
    const last = journals.findLastIndex(({ head }) => head !== undefined);
    const begun: JournalFile[] = [];
    for (const journal of journals.slice(last + 1)) {
      const found = await judgeHeadless(journal);
      if (found === 'damaged') {
        this.#onDamage(journal.file.path, 0, 'expected the head of a journal');
        begun.push(journal);
      } else if (found !== undefined) {
        this.#tornTail = found;
      }
    }
    const chain = chainOf(journals.slice(0, last + 1), snapshot, (number, problem) =>
      this.#onDamage(journalPath(this.folder, number), 0, problem),
    );
    return [...chain, ...begun];
  }

  async #readSnapshot(file: DataFile, number: number): Promise<void> {
    const head = await readHead(file.handle, 'snapshot', file.path);
    if (head?.number !== number) this.#onDamage(file.path, 0, 'expected the head of a snapshot');
    this.#version = head?.version ?? '';
    await readSnapshot(file, head, {
      onRecord: this.#onRecord,
      onDamage: (at, offset, problem) => this.#onDamage(at.path, offset, problem),
    });
    this.#sequence = head?.sequence ?? 0;
    this.#progress(file);
  }

  async #readJournal(journal: JournalFile, next: JournalFile | undefined): Promise<void> {
    const { head, file } = journal;
    const begin = head?.sequence ?? this.#sequence;
    if (begin !== this.#sequence) {
      this.#onDamage(file.path, 0, `it goes on from record ${begin}; expected ${this.#sequence}`);
    }
    if (head !== undefined && head.version > this.#version) this.#version = head.version;
    const { sequence, tornTail } = await readJournal(journal, next?.head?.sequence, {
      onRecord: this.#onRecord,
      onDamage: (at, offset, problem) => this.#onDamage(at.path, offset, problem),
    });
    if (sequence > begin) this.#previous = journal.number;
    this.#sequence = Math.max(this.#sequence, sequence);
    this.#tornTail ??= tornTail;
    this.#progress(file);
  }

  readonly #onRecord = (view: RecordView, file: DataFile, offset: number): void => {
    this.#records += 1;
    this.options.onRecord(view, file, offset);
  };

  #onDamage(file: string, offset: number, problem: string): void {
    if (!this.options.tolerant) throw new DataDamagedException(file, offset, problem);
    this.#damage.push({ file, offset, problem });
  }

  #progress({ size }: DataFile): void {
    this.#doneBytes += size;
    const totalBytes = this.#opened.reduce((sum, file) => sum + file.size, 0);
    this.options.onProgress?.({ doneBytes: this.#doneBytes, totalBytes });
  }
}
