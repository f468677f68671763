import type { JournalFile } from './journal-reader.js';

/**
 * The journals that count, in the order in which they were written: the last one with a head, the one that it names as
 * the one before, and so on, back to the snapshot. What a service has written that had lost its folder to another one
 * lies beside this chain.
 *
 * @param journals all that are there, lowest number first.
 * @param snapshot the snapshot's number, which stands for all journals with a lower one; 0: there is none.
 */
export function chainOf(
  journals: readonly JournalFile[],
  snapshot: number,
  onMissing: (number: number, problem: string) => void,
): readonly JournalFile[] {
  const chain: JournalFile[] = [];
  let current = journals.findLast(({ head }) => head !== undefined);
  while (current?.head !== undefined) {
    chain.unshift(current);
    const { previous } = current.head;
    if (previous < Math.max(snapshot, 1)) return chain;
    current = journals.find(({ number }) => number === previous);
    if (current?.head !== undefined) continue;
    onMissing(previous, `expected the head of a journal that journal-${chain[0]?.number} goes on from`);
    return journals;
  }
  return chain;
}
