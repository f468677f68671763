import * as fs from 'node:fs';
import * as promises from 'node:fs/promises';
import { promisify } from 'node:util';
import type { FileSystem, OpenFile, SyncSite } from './file-system.js';

/** What is stored is nobody's but this user's. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
/** @see statfs(2) */
const NETWORKS = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x517b, 'SMB'],
  [0x00c36400, 'CephFS'],
  [0x01021997, '9P'],
  [0x5346414f, 'AFS'],
]);

const open = promisify<string, string, number, number>(fs.open);
const ftruncate = promisify(fs.ftruncate);
const fstat = promisify(fs.fstat);
const close = promisify(fs.close);

/** Node's own file calls. */
export const nodeFileSystem: FileSystem = {
  open: async (file, mode) => new NodeFile(await openDescriptor(file, mode)),
  createFolder: (folder) => promises.mkdir(folder, { recursive: true, mode: FOLDER_MODE }),
  list: (folder) => promises.readdir(folder),
  realPath: (path) => promises.realpath(path),
  isFolder: async (path) => (await promises.stat(path)).isDirectory(),
  rename: (from, to) => promises.rename(from, to),
  remove: (file) => promises.unlink(file),
  readText: (file) => promises.readFile(file, 'utf8'),
  createText: (file, text) => promises.writeFile(file, text, { flag: 'wx', mode: FILE_MODE }),
  replaceText: (file, text) => promises.writeFile(file, text, { flag: 'r+' }),
  networkName: async (folder) => NETWORKS.get((await promises.statfs(folder)).type >>> 0),
  exists: (file) => fs.statSync(file, { throwIfNoEntry: false }) !== undefined,
  isReachable: (file) => fs.existsSync(file),
  async syncFolder(folder) {
    // Windows cannot open a folder; NTFS journals its names by itself.
    if (process.platform === 'win32') return;
    const handle = await promises.open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

export function openDescriptor(file: string, mode: 'read' | 'create'): Promise<number> {
  return mode === 'read' ? open(file, 'r', FILE_MODE) : open(file, 'wx+', FILE_MODE);
}

/** Plain file descriptors: a FileHandle costs each call several promises more, and cannot write before it returns. */
export class NodeFile implements OpenFile {
  constructor(protected readonly descriptor: number) {}

  read(bytes: Buffer, offset: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.descriptor, bytes, offset, length, position, (error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  }

  write(bytes: Buffer, offset: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.write(this.descriptor, bytes, offset, length, position, (error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  }

  writeNow(bytes: Buffer, offset: number, length: number, position: number): number {
    return fs.writeSync(this.descriptor, bytes, offset, length, position);
  }

  /** A file's length is among what `fdatasync` keeps; its times, which nobody asks for, are not. */
  sync(_: SyncSite): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.descriptor, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  truncate(length: number): Promise<void> {
    return ftruncate(this.descriptor, length);
  }

  async size(): Promise<number> {
    return (await fstat(this.descriptor)).size;
  }

  close(): Promise<void> {
    return close(this.descriptor);
  }
}
