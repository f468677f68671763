import { checkWrites } from '../check-writes.js';
import { EXIT, noMore, readArguments, type Command, type CommandContext } from '../command.js';
import { FindingList } from '../finding-list.js';
import { formatNumber } from '../format.js';
import { Progress, withProgress } from '../progress.js';
import { showComparison } from '../show-comparison.js';
import { ADDRESSES, openExisting, parseStoreAddress } from '../store-address.js';
import type { ReplicableDataService } from '../../replicable-data.service.js';

/** `verify`: reads all of a store and tells what is wrong with it. */
export const verify: Command = {
  summary: 'reads all of a store and tells what is wrong, or compares two',
  help: `verify <address> [--table <name>]
bulwark-data verify <address> [--table <name>] --against <address> [--against-table <name>]

Reads everything in a store: of a file store every record with its checksums, of a database every row; keys must be
valid and in byte order, values JSON and not too large. With --against it compares the store with another one instead:
keys, values and versions.

A file store is opened as an app would open it: what is left of a last commit that was never finished, or that is
damaged, is cut off, which is told and counts as wrong. Look at a copy of the folder where that must not be.

Ends with 0 when nothing is wrong, with 1 otherwise.

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
    const before = context.warnings();
    const store = await openExisting(address);
    // A server's warnings are about its settings, not about what it holds.
    const repaired = address.kind === 'file' && context.warnings() > before;
    try {
      if (other === undefined) return await check(store, repaired, context);
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

async function check(
  store: ReplicableDataService,
  repaired: boolean,
  { terminal, signal }: CommandContext,
): Promise<number> {
  const findings = new FindingList(terminal.out);
  const progress = new Progress(terminal.err, 'reading', 'keys');
  const { entries } = await withProgress(progress, () =>
    checkWrites(store, {
      signal,
      onWrite: ({ text = '' }) => progress.add(Buffer.byteLength(text)),
      onFinding: findings.add,
    }),
  );
  const wrong = findings.finish() + (repaired ? 1 : 0);
  terminal.out.write(
    wrong === 0
      ? `${formatNumber(entries, 'entry', 'entries')}: nothing is wrong\n`
      : `${formatNumber(wrong, 'thing is', 'things are')} wrong, among ${formatNumber(entries, 'entry', 'entries')}\n`,
  );
  return wrong === 0 ? EXIT.ok : EXIT.failed;
}
