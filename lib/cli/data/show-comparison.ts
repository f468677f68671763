import type { ReplicableDataService } from '../../data/port/replicable-data.service.js';
import type { CommandContext } from '../shell/command.js';
import { compareWrites, type ComparisonResult } from './compare-writes.js';
import { FindingList } from './finding-list.js';
import { formatCount, formatNumber } from '../shell/format.js';
import { Progress, withProgress } from './progress.js';

/** Compares two stores, and shows in which keys they differ. */
export async function showComparison(
  source: ReplicableDataService,
  target: ReplicableDataService,
  prefix: string,
  { terminal, signal }: CommandContext,
): Promise<ComparisonResult> {
  const findings = new FindingList(terminal.out);
  const progress = new Progress(terminal.err, 'comparing', 'keys');
  const result = await withProgress(progress, () =>
    compareWrites(source, target, {
      prefix,
      signal,
      onPair: ({ left, right }) => progress.add(Buffer.byteLength(left?.text ?? right?.text ?? '')),
      onDifference: findings.add,
    }),
  );
  const differences = findings.finish();
  if (differences > 0) {
    const equal = formatCount(result.same);
    terminal.out.write(
      `not the same: ${formatNumber(differences, 'key differs', 'keys differ')}, ${equal} are equal\n`,
    );
  }
  return result;
}
