import * as promises from 'node:fs/promises';
import { dirname } from 'node:path';

/** Every file call of this backend, so that a test can let one fail. */
export type FileSystem = Pick<
  typeof promises,
  'mkdir' | 'open' | 'readFile' | 'readdir' | 'realpath' | 'rename' | 'unlink' | 'writeFile'
>;

export const nodeFileSystem: FileSystem = promises;

/** Makes created, renamed and deleted names in a folder survive a power loss. */
export async function syncFolder(fileSystem: FileSystem, folder: string): Promise<void> {
  // Windows cannot open a folder; NTFS journals its names by itself.
  if (process.platform === 'win32') return;
  const handle = await fileSystem.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates an absolute folder and what is missing above it, durably. */
export async function createFolder(fileSystem: FileSystem, folder: string): Promise<void> {
  const topmost = await fileSystem.mkdir(folder, { recursive: true });
  if (topmost === undefined) return;
  for (let created = folder; created.length >= topmost.length; created = dirname(created)) {
    await syncFolder(fileSystem, dirname(created));
  }
}

/** Deletes a file that may be gone already. */
export async function removeFile(fileSystem: FileSystem, file: string): Promise<void> {
  try {
    await fileSystem.unlink(file);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Whether a file call failed because there is no such file. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'ENOENT';
}
