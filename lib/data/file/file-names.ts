import { join } from 'node:path';
import type { FileSystem } from './file-system.js';

const DATA_FILE = /^(journal|snapshot)-([1-9]\d{0,14})$/;
const TEMPORARY_FILE = /^snapshot-\d+\.tmp$/;

/** The files of a data folder, by their numbers, lowest first. */
export interface FileNames {
  readonly journals: readonly number[];
  readonly snapshots: readonly number[];
  /** Names of what an interrupted snapshot has left. */
  readonly temporary: readonly string[];
}

export function journalPath(folder: string, number: number): string {
  return join(folder, `journal-${number}`);
}

export function snapshotPath(folder: string, number: number): string {
  return join(folder, `snapshot-${number}`);
}

/** Under this name a file is written before it gets its own. */
export function temporaryPath(path: string): string {
  return `${path}.tmp`;
}

export async function listFiles(fileSystem: FileSystem, folder: string): Promise<FileNames> {
  const names = await fileSystem.list(folder);
  const numbers = (type: string): number[] =>
    names
      .flatMap((name) => (DATA_FILE.exec(name)?.[1] === type ? [Number(name.slice(type.length + 1))] : []))
      .sort((a, b) => a - b);
  return {
    journals: numbers('journal'),
    snapshots: numbers('snapshot'),
    temporary: names.filter((name) => TEMPORARY_FILE.test(name)),
  };
}
