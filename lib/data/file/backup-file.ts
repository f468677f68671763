import { DataUnavailableException } from '../port/errors.js';
import { DataFile } from './data-file.js';
import { EntryStore } from './entry-store.js';
import type { FileHead } from './file-head.js';
import { readHead } from './file-head.js';
import { snapshotPath, temporaryPath } from './file-names.js';
import type { FileDamage, FileDataReport, FileProgressOptions } from './file-report.js';
import type { FileSystem } from './file-system.js';
import { createFolder, readFully, removeFile, writeFully } from './file-system.js';
import { recordInto } from './record-into.js';
import { readSnapshot } from './snapshot-reader.js';

const PIECE_BYTES = 1024 * 1024;

/** Reads a backup, and changes nothing. */
export async function verifyBackup(
  fileSystem: FileSystem,
  path: string,
  { onProgress }: FileProgressOptions = {},
): Promise<{ report: FileDataReport; head: FileHead | undefined }> {
  const file = new DataFile(path, await fileSystem.open(path, 'read'));
  try {
    file.size = await file.handle.size();
    const head = await readHead(file.handle, 'snapshot', path);
    const damage: FileDamage[] = [];
    if (head === undefined) damage.push({ file: path, offset: 0, problem: 'expected the head of a backup' });
    const store = new EntryStore(0);
    let records = 0;
    let doneBytes = 0;
    await readSnapshot(file, head, {
      onRecord: (view, at, offset) => {
        records += 1;
        recordInto(store, view, at, offset);
        if (offset - doneBytes < PIECE_BYTES) return;
        doneBytes = offset;
        onProgress?.({ doneBytes, totalBytes: file.size });
      },
      onDamage: (_, offset, problem) => damage.push({ file: path, offset, problem }),
    });
    onProgress?.({ doneBytes: file.size, totalBytes: file.size });
    store.loaded();
    const { keys, tombstones } = store;
    return { report: { records, keys, tombstones, bytes: file.size, damage, tornTail: undefined }, head };
  } finally {
    await file.release();
  }
}

/**
 * Makes a data folder of a backup.
 *
 * @throws DataUnavailableException for a damaged backup, or a folder that is not empty.
 */
export async function restoreBackup(
  fileSystem: FileSystem,
  from: string,
  to: string,
  { onProgress }: FileProgressOptions,
): Promise<void> {
  if (await fileSystem.isFolder(from)) {
    throw new DataUnavailableException(`The backup ${from} is a folder; expected the file that backup() has written`);
  }
  const { report, head } = await verifyBackup(fileSystem, from);
  const [first] = report.damage;
  if (first !== undefined || head === undefined) {
    throw new DataUnavailableException(
      `The backup ${from} is damaged at offset ${first?.offset ?? 0}: ${first?.problem ?? 'it has no head'}`,
    );
  }
  await createFolder(fileSystem, to);
  const present = await fileSystem.list(to);
  if (present.length > 0) {
    throw new DataUnavailableException(
      `The folder ${to} holds ${JSON.stringify(present[0])}; expected an empty folder, or none, to restore into`,
    );
  }
  const path = snapshotPath(to, head.number);
  await copyFile(fileSystem, from, temporaryPath(path), report.bytes, onProgress);
  await fileSystem.rename(temporaryPath(path), path);
  await fileSystem.syncFolder(to, 'snapshot-name');
}

async function copyFile(
  fileSystem: FileSystem,
  from: string,
  to: string,
  totalBytes: number,
  onProgress: FileProgressOptions['onProgress'],
): Promise<void> {
  const source = await fileSystem.open(from, 'read');
  try {
    const target = await fileSystem.open(to, 'create');
    try {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      for (let position = 0; position < totalBytes;) {
        const length = await readFully(source, piece, PIECE_BYTES, position);
        if (length === 0) throw new Error(`${from} became shorter while it was copied`);
        await writeFully(target, piece, length, position);
        position += length;
        onProgress?.({ doneBytes: position, totalBytes });
      }
      await target.sync('snapshot-content');
    } catch (error) {
      await removeFile(fileSystem, to).catch(() => undefined);
      throw error;
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
