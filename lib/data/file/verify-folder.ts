import { verifyBackup } from './backup-file.js';
import { EntryStore } from './entry-store.js';
import type { FileDataReport, FileProgressOptions } from './file-report.js';
import type { FileSystem } from './file-system.js';
import { reportOf } from './opened-folder.js';
import { recordInto } from './record-into.js';
import { recover } from './recovery.js';

/** Reads a data folder, or a backup, and changes nothing. */
export async function verifyPath(
  fileSystem: FileSystem,
  at: string,
  { onProgress }: FileProgressOptions,
): Promise<FileDataReport> {
  if (!(await fileSystem.isFolder(at))) return (await verifyBackup(fileSystem, at, { onProgress })).report;
  let store = new EntryStore(0);
  const recovered = await recover(
    fileSystem,
    at,
    {
      before: Infinity,
      tolerant: true,
      onRecord: (view, file, offset) => recordInto(store, view, file, offset),
      onProgress,
    },
    () => (store = new EntryStore(0)),
  );
  for (const file of recovered.files) await file.release();
  store.loaded();
  return reportOf(recovered, store);
}
