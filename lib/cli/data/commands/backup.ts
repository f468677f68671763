import { open, rename, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { FileDataService } from '../../../data/file/file-data.service.js';
import {
  EXIT,
  noMore,
  readArguments,
  required,
  UsageError,
  type Command,
  type CommandContext,
} from '../../shell/command.js';
import { ADDRESSES, openExisting, parseStoreAddress, type StoreAddress } from '../store-address.js';
import { PARALLEL, transfer } from '../transfer.js';

/** `backup`: keeps all of a store in a folder. */
export const backup: Command = {
  summary: 'keeps all of a store in a folder',
  help: `backup --from <address> [--from-table <name>] --to <folder>

Writes all of a store, with its versions and the deletes that it remembers, to a new folder that fileData can open, and
compares the two. The folder has its name only when all of that is done and on disk; until then it is <folder>.partial.
A file store must not be open in an app. A database may be, but is then to be left unwritten: where it was written
meanwhile, there is no backup.

Ends with 0 when the backup is there, with 1 otherwise.

Examples:
  nestjs-bulwark data backup --from file:./data --to ./backup-monday
  nestjs-bulwark data backup --from env:DATABASE_URL --to ./backup-monday

${ADDRESSES}`,
  interrupted: 'there is no backup yet; run the same command again to go on',

  async run(args, context) {
    const { values, positionals } = readArguments({
      args: [...args],
      allowPositionals: true,
      options: { from: { type: 'string' }, 'from-table': { type: 'string' }, to: { type: 'string' } },
    });
    noMore(positionals);
    const from = parseStoreAddress('--from', values.from, values['from-table']);
    const to = parsePath('--to', values.to, 'folder');
    if (await isThere(to)) throw new Error(`${to} is there already; expected a new folder`);
    const code = await keep(from, to, context);
    if (code !== EXIT.ok) return code;
    await rename(partialOf(to), to);
    await syncFolder(dirname(to));
    context.terminal.out.write(`the backup is ${to}\n`);
    return EXIT.ok;
  },
};

/** A folder or a file, as a path or as an address that begins with `file:`. @throws UsageError */
export function parsePath(argument: string, text: string | undefined, what: string): string {
  const path = required(argument, text);
  if (path.startsWith('file:')) {
    const address = parseStoreAddress(argument, path);
    if (address.kind === 'file') return address.path;
  }
  if (/^[a-z]+:/.test(path)) throw new UsageError(`${argument} is ${path.split(':')[0]}:...; expected a ${what}`);
  return resolve(path);
}

async function keep(from: StoreAddress, to: string, context: CommandContext): Promise<number> {
  const source = await openExisting(from);
  try {
    const target = await FileDataService.open({ path: partialOf(to) });
    try {
      // An interrupted backup may have left what has been deleted since.
      const options = { fromShown: from.shown, toShown: to, prefix: '', prune: true, parallel: PARALLEL };
      return await transfer(source, target, options, context);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

function partialOf(folder: string): string {
  return `${folder}.partial`;
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Makes a rename in a folder last. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
