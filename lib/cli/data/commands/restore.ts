import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileDataService } from '../../../data/file/file-data.service.js';
import { noMore, readArguments, type Command, type CommandContext } from '../../shell/command.js';
import { withBytes } from '../progress.js';
import { ADDRESSES, expectFolderOrFile, openStore, parseStoreAddress } from '../store-address.js';
import { PARALLEL, transfer } from '../transfer.js';
import type { ReplicableDataService } from '../../../data/port/replicable-data.service.js';
import { parsePath } from './backup.js';

/** `restore`: brings a backup back. */
export const restore: Command = {
  summary: 'brings a backup back',
  help: `restore --from <folder or file> --to <address> [--to-table <name>]

Writes all of a backup to a store, under its versions, and compares the two. The store must be empty or not there yet:
what is newer than the backup would stand. To lay a backup over a store that is in use, there is: copy.

The backup is a folder that the command backup has written, or a file that an app has, with FileDataService.backup().
A file is brought into the folder for temporary files first, where it takes its size again.

Ends with 0 when the store holds the same as the backup, with 1 otherwise.

Examples:
  nestjs-bulwark data restore --from ./backup-monday --to file:./restored

${ADDRESSES}`,
  interrupted:
    'a part is there; to go on with a backup that is a folder, run: copy --from file:<folder> --to <address>',

  async run(args, context) {
    const { values, positionals } = readArguments({
      args: [...args],
      allowPositionals: true,
      options: { from: { type: 'string' }, to: { type: 'string' }, 'to-table': { type: 'string' } },
    });
    noMore(positionals);
    const from = parsePath('--from', values.from, 'folder or file');
    const to = parseStoreAddress('--to', values.to, values['to-table']);
    const source = await openBackup(from, context);
    try {
      const target = await openStore(to);
      try {
        await expectEmpty(target, to.shown);
        const options = { fromShown: from, toShown: to.shown, prefix: '', prune: false, parallel: PARALLEL };
        return await transfer(source.data, target, options, context);
      } finally {
        await target.close();
      }
    } finally {
      await source.close();
    }
  },
};

interface OpenedBackup {
  readonly data: FileDataService;
  close(): Promise<void>;
}

async function openBackup(path: string, { terminal }: CommandContext): Promise<OpenedBackup> {
  if ((await expectFolderOrFile(path)) === 'folder') {
    const data = await FileDataService.open({ path });
    return { data, close: () => data.close() };
  }
  const home = await mkdtemp(join(tmpdir(), 'bulwark-restore-'));
  const remove = (): Promise<void> => rm(home, { recursive: true });
  try {
    const folder = join(home, 'data');
    await withBytes(terminal.err, 'reading the backup', 'pieces', (onProgress) =>
      FileDataService.restore(path, folder, { onProgress }),
    );
    const data = await FileDataService.open({ path: folder });
    return { data, close: () => data.close().finally(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function expectEmpty(store: ReplicableDataService, shown: string): Promise<void> {
  for await (const { key } of store.writes()) {
    throw new Error(
      `${shown} holds data, such as ${JSON.stringify(key)}; expected an empty store, or one that is not there`,
    );
  }
}
