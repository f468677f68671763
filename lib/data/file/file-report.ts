/** A place in a file that holds what was never written there. */
export interface FileDamage {
  readonly file: string;
  /** Where it begins, in bytes from the start of the file. */
  readonly offset: number;
  /** What was expected, and what is there. */
  readonly problem: string;
}

/** The rest of a commit that was not finished when the process or the machine stopped. It was never acknowledged. */
export interface FileTornTail {
  readonly file: string;
  /** Where it begins, in bytes from the start of the file. */
  readonly offset: number;
  readonly bytes: number;
}

/**
 * What was found in the files of a data folder, or in a backup.
 *
 * @publicApi
 */
export interface FileDataReport {
  /** How many whole records there are, older ones of the same key included. */
  readonly records: number;
  /** How many keys have a value. */
  readonly keys: number;
  /** How many keys have a tombstone, the trace of a delete that `apply` has left. */
  readonly tombstones: number;
  /** The length of the files that count, in bytes. */
  readonly bytes: number;
  /** What is damaged; empty where all is well. */
  readonly damage: readonly FileDamage[];
  /** What was left out, or is to be left out, at the end of the last journal. */
  readonly tornTail: FileTornTail | undefined;
}

/**
 * How far a backup, a restore or a verification has come.
 *
 * @publicApi
 */
export interface FileDataProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/**
 * What `restore` and `verify` of a `FileDataService` take.
 *
 * @publicApi
 */
export interface FileProgressOptions {
  /** Called after each piece, and once at the end. What it throws is one warning, and the work goes on. */
  onProgress?: ((progress: FileDataProgress) => void) | undefined;
}

/**
 * What `backup` of a `FileDataService` takes.
 *
 * @publicApi
 */
export interface FileBackupOptions extends FileProgressOptions {
  /** Gives the backup up; what it has written is removed. */
  signal?: AbortSignal | undefined;
}
