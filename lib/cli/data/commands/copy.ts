import { maskCredentials } from '../../../errors/mask-credentials.js';
import { noMore, readArguments, UsageError, type Command } from '../../shell/command.js';
import { ADDRESSES, openExisting, openStore, parseStoreAddress, type StoreAddress } from '../store-address.js';
import { PARALLEL, transfer, type TransferOptions } from '../transfer.js';

const MOST_PARALLEL = 256;

interface CopyArguments extends TransferOptions {
  readonly from: StoreAddress;
  readonly to: StoreAddress;
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

Examples:
  nestjs-bulwark data copy --from file:./data --to env:DATABASE_URL
  nestjs-bulwark data copy --from sqlite:./shop.db --to env:DATABASE_URL --prune --parallel 64

${ADDRESSES}`,
  interrupted: 'what was copied is kept; run the same command again to go on',

  async run(args, context) {
    const parsed = parseArguments(args);
    const source = await openExisting(parsed.from);
    try {
      const target = await openStore(parsed.to);
      try {
        return await transfer(source, target, parsed, context);
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
    throw new UsageError(
      `--parallel is '${maskCredentials(values.parallel)}'; expected a whole number from 1 to ${MOST_PARALLEL}`,
    );
  }
  return { from, to, fromShown: from.shown, toShown: to.shown, prefix: values.prefix, prune: values.prune, parallel };
}
