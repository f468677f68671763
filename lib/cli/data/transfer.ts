import type { ReplicableDataService } from '../../data/port/replicable-data.service.js';
import { EXIT, type CommandContext } from '../shell/command.js';
import { copyWrites, type CopyResult } from './copy-writes.js';
import { formatNumber } from '../shell/format.js';
import { Progress, withProgress } from './progress.js';
import { showComparison } from './show-comparison.js';

/** How many writes are under way at a time, where nobody says. */
export const PARALLEL = 32;

/** What is brought where. */
export interface TransferOptions {
  /** How messages call the source. */
  readonly fromShown: string;
  readonly toShown: string;
  readonly prefix: string;
  readonly prune: boolean;
  readonly parallel: number;
}

/**
 * Copies a store to another one, compares the two, and says what came of it.
 *
 * @returns the exit code: 0 when both hold the same and the source did not change meanwhile.
 */
export async function transfer(
  source: ReplicableDataService,
  target: ReplicableDataService,
  options: TransferOptions,
  context: CommandContext,
): Promise<number> {
  const copied = await copyAll(source, target, options, context);
  return compareAll(source, target, options, copied, context);
}

async function copyAll(
  source: ReplicableDataService,
  target: ReplicableDataService,
  { fromShown, toShown, prefix, prune, parallel }: TransferOptions,
  { terminal, signal }: CommandContext,
): Promise<CopyResult> {
  terminal.err.write(`copying ${fromShown} to ${toShown}\n`);
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
    terminal.err.write(`${fromShown} holds nothing; a table that was not there is created\n`);
  }
  if (result.pruned > 0) {
    terminal.out.write(`removed ${formatNumber(result.pruned, 'key', 'keys')} that the source does not have\n`);
  }
  return result;
}

async function compareAll(
  source: ReplicableDataService,
  target: ReplicableDataService,
  { prefix }: TransferOptions,
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
