import { dirname } from 'node:path';

/**
 * Every place where this backend has the disk hold something before it goes on. The names are for tests, which take one
 * away and expect to see data lost.
 */
export const SYNC_SITES = [
  'commit',
  'recovered-journal',
  'journal-name',
  'snapshot-content',
  'snapshot-name',
  'parent-folder',
] as const;

export type SyncSite = (typeof SYNC_SITES)[number];

/** An open file. */
export interface OpenFile {
  /** Reads up to `length` bytes at `position`; resolves to how many, 0 at the end of the file. */
  read(bytes: Buffer, offset: number, length: number, position: number): Promise<number>;
  /** Writes up to `length` bytes at `position`; resolves to how many. */
  write(bytes: Buffer, offset: number, length: number, position: number): Promise<number>;
  /** As {@link write}, but before it returns. */
  writeNow(bytes: Buffer, offset: number, length: number, position: number): number;
  /** Resolves once the disk holds what was written, and the file's length. */
  sync(site: SyncSite): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** Every file call of this backend, so that a test can let one fail, or lose what was not synced. */
export interface FileSystem {
  /** Opens a file, to read it or, where there is none of that name yet, to write and read it. */
  open(file: string, mode: 'read' | 'create'): Promise<OpenFile>;
  /** Creates a folder and what is missing above it, for this user alone; resolves to the topmost one that it created. */
  createFolder(folder: string): Promise<string | undefined>;
  /** The names in a folder. */
  list(folder: string): Promise<string[]>;
  /** The path without symbolic links. */
  realPath(path: string): Promise<string>;
  isFolder(path: string): Promise<boolean>;
  rename(from: string, to: string): Promise<void>;
  remove(file: string): Promise<void>;
  readText(file: string): Promise<string>;
  /** Writes a file of a name that is not there yet. */
  createText(file: string, text: string): Promise<void>;
  /** Writes over the text of a file that is there, with one of the same length. */
  replaceText(file: string, text: string): Promise<void>;
  /** How the file system of a folder is called, where it lies on another machine; undefined: it does not, or nobody knows. */
  networkName(folder: string): Promise<string | undefined>;
  /** Whether a file of that name is there now. Throws where the system cannot tell. */
  exists(file: string): boolean;
  /**
   * Whether a file of that name can be reached now, and nothing else: since Linux 6.13 a file that is asked for its times
   * gets finer ones at the next write, which the sync behind it has to make durable as well, for a third of its time.
   */
  isReachable(file: string): boolean;
  /** Resolves once the names that were created, renamed and removed in a folder survive a power loss. */
  syncFolder(folder: string, site: SyncSite): Promise<void>;
}

/** Creates an absolute folder and what is missing above it, durably. */
export async function createFolder(fileSystem: FileSystem, folder: string): Promise<void> {
  const topmost = await fileSystem.createFolder(folder);
  if (topmost === undefined) return;
  for (let created = folder; created.length >= topmost.length; created = dirname(created)) {
    await fileSystem.syncFolder(dirname(created), 'parent-folder');
  }
}

/** Deletes a file that may be gone already. */
export async function removeFile(fileSystem: FileSystem, file: string): Promise<void> {
  try {
    await fileSystem.remove(file);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Whether a file call failed because there is no such file. */
export function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT');
}

/** Whether a file call failed because there is a file of that name already. */
export function isTaken(error: unknown): boolean {
  return hasCode(error, 'EEXIST');
}

/** Writes all of `length` bytes, which one call need not do. */
export async function writeFully(file: OpenFile, bytes: Buffer, length: number, position: number): Promise<void> {
  for (let written = 0; written < length;) {
    const count = await file.write(bytes, written, length - written, position + written);
    if (count === 0) throw new Error('the system wrote nothing');
    written += count;
  }
}

/** Fills `length` bytes from `position` on; resolves to fewer where the file ends before. */
export async function readFully(file: OpenFile, bytes: Buffer, length: number, position: number): Promise<number> {
  let filled = 0;
  while (filled < length) {
    const count = await file.read(bytes, filled, length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}
