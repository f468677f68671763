import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * What etcd said last, on the disk of this machine, so that a start without etcd knows it. One file for each prefix and
 * kind; it is replaced as a whole, so that a crash leaves the one before. Only the user of the app may read it.
 */
export class DiskCopy {
  readonly path: string;

  /** @param kind what is kept, such as `rules`. */
  constructor(
    private readonly folder: string,
    kind: string,
    prefix: string,
  ) {
    this.path = join(folder, `${kind}-${createHash('sha256').update(prefix).digest('hex').slice(0, 16)}.json`);
  }

  /** Undefined: there is none. @throws what the system says of one that cannot be read. */
  async read(): Promise<string | undefined> {
    try {
      return await readFile(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** @throws what the system says. */
  async write(text: string): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const fresh = `${this.path}.${process.pid}-${randomBytes(4).toString('hex')}`;
    try {
      const file = await open(fresh, 'wx', 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(fresh, this.path);
    } catch (error) {
      await rm(fresh, { force: true }).catch(() => undefined);
      throw error;
    }
  }
}
