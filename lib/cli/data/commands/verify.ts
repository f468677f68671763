import { FileDataService } from '../../../data/file/file-data.service.js';
import { checkWrites } from '../check-writes.js';
import { EXIT, noMore, readArguments, type Command, type CommandContext } from '../../shell/command.js';
import { FindingList } from '../finding-list.js';
import { formatNumber } from '../../shell/format.js';
import { Progress, withBytes, withProgress } from '../progress.js';
import { showComparison } from '../show-comparison.js';
import { ADDRESSES, expectFolderOrFile, openExisting, parseStoreAddress } from '../store-address.js';
import type { Terminal } from '../../shell/terminal.js';
import type { ReplicableDataService } from '../../../data/port/replicable-data.service.js';

/** `verify`: reads all of a store and tells what is wrong with it. */
export const verify: Command = {
  summary: 'reads all of a store and tells what is wrong, or compares two',
  help: `verify <address> [--table <name>]
nestjs-bulwark data verify <address> [--table <name>] --against <address> [--against-table <name>]

Reads everything in a store: of a file store every record with its checksums, of a database every row; keys must be
valid and in byte order, values JSON and not too large. With --against it compares the store with another one instead:
keys, values and versions.

The files of a file store are read as they are, whether or not an app has them open, and nothing is changed. What is left
of a last commit that was never finished counts as wrong. Without --against, file:<path> may also be a backup that an app has
written with FileDataService.backup().

Ends with 0 when nothing is wrong, with 1 otherwise.

Examples:
  nestjs-bulwark data verify file:./data
  nestjs-bulwark data verify env:DATABASE_URL --against file:./backup-monday

${ADDRESSES}`,
  interrupted: 'it has not seen everything',

  async run(args, context) {
    const { values, positionals } = readArguments({
      args: [...args],
      allowPositionals: true,
      options: { table: { type: 'string' }, against: { type: 'string' }, 'against-table': { type: 'string' } },
    });
    const [first, ...surplus] = positionals;
    noMore(surplus);
    const address = parseStoreAddress('the address', first, values.table);
    const other =
      values.against === undefined
        ? undefined
        : parseStoreAddress('--against', values.against, values['against-table']);
    if (address.kind === 'file' && other === undefined) return checkFiles(address.path, context);
    const store = await openExisting(address);
    try {
      if (other === undefined) return await check(store, context);
      const against = await openExisting(other);
      try {
        const { same, differences } = await showComparison(store, against, '', context);
        if (differences > 0) return EXIT.failed;
        context.terminal.out.write(`both hold the same ${formatNumber(same, 'entry', 'entries')}\n`);
        return EXIT.ok;
      } finally {
        await against.close();
      }
    } finally {
      await store.close();
    }
  },
};

async function checkFiles(path: string, { terminal }: CommandContext): Promise<number> {
  await expectFolderOrFile(path);
  const { damage, tornTail, keys } = await withBytes(terminal.err, 'reading', 'files', (onProgress) =>
    FileDataService.verify(path, { onProgress }),
  );
  for (const { file, offset, problem } of damage) terminal.out.write(`${file} at offset ${offset}: ${problem}\n`);
  if (tornTail !== undefined) {
    const { file, offset, bytes } = tornTail;
    terminal.out.write(`${file} at offset ${offset}: ${bytes} bytes of a commit that was never finished\n`);
  }
  return conclude(damage.length + (tornTail === undefined ? 0 : 1), keys, terminal);
}

async function check(store: ReplicableDataService, { terminal, signal }: CommandContext): Promise<number> {
  const findings = new FindingList(terminal.out);
  const progress = new Progress(terminal.err, 'reading', 'keys');
  const { entries } = await withProgress(progress, () =>
    checkWrites(store, {
      signal,
      onWrite: ({ text = '' }) => progress.add(Buffer.byteLength(text)),
      onFinding: findings.add,
    }),
  );
  return conclude(findings.finish(), entries, terminal);
}

function conclude(wrong: number, entries: number, terminal: Terminal): number {
  terminal.out.write(
    wrong === 0
      ? `${formatNumber(entries, 'entry', 'entries')}: nothing is wrong\n`
      : `${formatNumber(wrong, 'thing is', 'things are')} wrong, among ${formatNumber(entries, 'entry', 'entries')}\n`,
  );
  return wrong === 0 ? EXIT.ok : EXIT.failed;
}
