import type { DataEntriesOptions } from '../../data/port/data-options.js';
import type { DataWrite, ReplicableDataService } from '../../data/port/replicable-data.service.js';
import { isNewer } from '../../data/port/version-clock.js';
import { pairedWrites, type WritePair } from './paired-writes.js';
import { WritesDigest } from './writes-digest.js';

/** How to compare. */
export interface CompareOptions extends DataEntriesOptions {
  /** Hears of each key that was compared. */
  readonly onPair?: (pair: WritePair) => void;
  /** Hears of each key in which the two differ, with what is different. */
  readonly onDifference: (key: string, difference: string) => void;
}

/** What a comparison found. */
export interface ComparisonResult {
  /** Keys with the same value under the same version in both. */
  readonly same: number;
  readonly differences: number;
  /** The state of the source as it was read. */
  readonly digest: string;
}

/** Compares what two stores hold: keys, values and versions. */
export async function compareWrites(
  source: ReplicableDataService,
  target: ReplicableDataService,
  { onPair, onDifference, ...reading }: CompareOptions,
): Promise<ComparisonResult> {
  const digest = new WritesDigest();
  let [same, differences] = [0, 0];
  for await (const pair of pairedWrites(source.writes(reading), target.writes(reading))) {
    const { key, left, right } = pair;
    if (left !== undefined) digest.add(left);
    const difference = differenceOf(left, right);
    if (difference !== undefined) {
      differences += 1;
      onDifference(key, difference);
    } else if (left?.text !== undefined) {
      same += 1;
    }
    onPair?.(pair);
  }
  return { same, differences, digest: digest.finish() };
}

/** A delete and no write at all are the same, since a store may forget its deletes. */
function differenceOf(source: DataWrite | undefined, target: DataWrite | undefined): string | undefined {
  if (source?.text === undefined && target?.text === undefined) return undefined;
  if (source === undefined) return 'only in the target';
  if (target === undefined) return 'only in the source';
  if (isNewer(target.version, source.version)) return `${stateOf(target)} in the target later than in the source`;
  if (isNewer(source.version, target.version)) return `${stateOf(source)} in the source later than in the target`;
  return source.text === target.text ? undefined : 'another value under the same version';
}

function stateOf({ text }: DataWrite): string {
  return text === undefined ? 'deleted' : 'written';
}
