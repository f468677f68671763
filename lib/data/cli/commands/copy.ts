import { EXIT, noMore, readArguments, UsageError, type Command, type CommandContext } from '../command.js';
import { copyWrites, type CopyResult } from '../copy-writes.js';
import { formatNumber } from '../format.js';
import { Progress, withProgress } from '../progress.js';
import { showComparison } from '../show-comparison.js';
import { ADDRESSES, openExisting, openStore, parseStoreAddress, type StoreAddress } from '../store-address.js';
import type { ReplicableDataService } from '../../replicable-data.service.js';

const MOST_PARALLEL = 256;
const PARALLEL = 32;

interface CopyArguments {
  readonly from: StoreAddress;
  readonly to: StoreAddress;
  readonly prefix: string;
  readonly prune: boolean;
  readonly parallel: number;
}

/** `copy`: brings a store to another backend. */
export const copy: Command = {
  summary: 'copies a store to another one, and compares the two',
  help: `copy --from <address> --to <address> [options]

Brings every entry to the target, and every delete, each under its own version; what the target has already is left
out, and nothing older replaces something newer. Then both are read again and compared. Run it while the app still
writes, stop the app, run it again: the second time only what has changed is copied.

  --from <address>      what is copied; it is only read
  --to <address>        where to; created where it is missing
  --from-table <name>   the table of a database, where it is not the default one
  --to-table <name>     the same for the target
  --prefix <text>       only keys that begin with it
  --prune               remove from the target what the source does not have, such as what was deleted since the last
                        time: most deletes leave nothing that could be copied
  --parallel <number>   writes under way at a time, 1 to ${MOST_PARALLEL} (default: ${PARALLEL})

Ends with 0 when both hold the same and the source has not changed meanwhile, with 1 otherwise.

${ADDRESSES}`,
  interrupted: 'what was copied is kept; run the same command again to go on',

  async run(args, context) {
    const parsed = parseArguments(args);
    const source = await openExisting(parsed.from);
    try {
      const target = await openStore(parsed.to);
      try {
        const copied = await copyAll(source, target, parsed, context);
        return await compareAll(source, target, parsed, copied, context);
      } finally {
        await target.close();
      }
    } finally {
      await source.close();
    }
  },
};

function parseArguments(args: readonly string[]): CopyArguments {
  const { values, positionals } = readArguments({
    args: [...args],
    allowPositionals: true,
    options: {
      from: { type: 'string' },
      to: { type: 'string' },
      'from-table': { type: 'string' },
      'to-table': { type: 'string' },
      prefix: { type: 'string', default: '' },
      prune: { type: 'boolean', default: false },
      parallel: { type: 'string', default: String(PARALLEL) },
    },
  });
  noMore(positionals);
  const from = parseStoreAddress('--from', values.from, values['from-table']);
  const to = parseStoreAddress('--to', values.to, values['to-table']);
  if (from.shown === to.shown) throw new UsageError(`--from and --to both name ${from.shown}`);
  const parallel = Number(values.parallel);
  if (!Number.isInteger(parallel) || parallel < 1 || parallel > MOST_PARALLEL) {
    throw new UsageError(`--parallel is '${values.parallel}'; expected a whole number from 1 to ${MOST_PARALLEL}`);
  }
  return { from, to, prefix: values.prefix, prune: values.prune, parallel };
}

async function copyAll(
  source: ReplicableDataService,
  target: ReplicableDataService,
  { from, to, prefix, prune, parallel }: CopyArguments,
  { terminal, signal }: CommandContext,
): Promise<CopyResult> {
  terminal.err.write(`copying ${from.shown} to ${to.shown}\n`);
  const progress = new Progress(terminal.err, 'copying', 'writes');
  const result = await withProgress(progress, () =>
    copyWrites(source, target, {
      prefix,
      prune,
      parallel,
      signal,
      onWrite: ({ text = '' }) => progress.add(Buffer.byteLength(text)),
    }),
  );
  const present = result.present === 0 ? '' : `; ${formatNumber(result.present, 'was', 'were')} there already`;
  terminal.out.write(`copied ${formatNumber(result.copied, 'write', 'writes')}${present}\n`);
  if (result.copied + result.present === 0) {
    terminal.err.write(`${from.shown} holds nothing; a table that was not there is created\n`);
  }
  if (result.pruned > 0) {
    terminal.out.write(`removed ${formatNumber(result.pruned, 'key', 'keys')} that the source does not have\n`);
  }
  return result;
}

async function compareAll(
  source: ReplicableDataService,
  target: ReplicableDataService,
  { prefix }: CopyArguments,
  copied: CopyResult,
  context: CommandContext,
): Promise<number> {
  const { same, differences, digest } = await showComparison(source, target, prefix, context);
  const { out } = context.terminal;
  if (digest !== copied.digest) {
    out.write('the source changed while it was copied: stop what writes to it, then run the same command again\n');
    return EXIT.failed;
  }
  if (differences > 0) return EXIT.failed;
  const entries = formatNumber(same, 'entry', 'entries');
  out.write(`verified: both hold the same ${entries}; the source did not change from the first read to the last\n`);
  return EXIT.ok;
}
