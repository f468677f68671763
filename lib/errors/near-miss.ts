/** A name with more slips than this, and than a third of its letters, is another name. */
const MOST_SLIPS = 3;

/**
 * What a message says of names that are known: `expected one of: timeout, volumeThreshold; did you mean 'volumeThreshold'?`
 *
 * @param given what was written; the question is asked where one of them comes near.
 * @param none what is said where none is known.
 */
export function oneOfThese(given: string, known: readonly string[], none = 'there are none'): string {
  return `expected one of: ${known.join(', ') || none}${didYouMean(given, known)}`;
}

/** Empty where nothing that is known comes near. */
function didYouMean(given: string, known: readonly string[]): string {
  const most = Math.min(MOST_SLIPS, Math.floor(given.length / 3));
  const wanted = given.toLowerCase();
  let nearest: string | undefined;
  let fewest = most + 1;
  for (const name of known) {
    // What differs in its case alone is nearest of all.
    const slips = slipsBetween(wanted, name.toLowerCase(), fewest);
    if (slips < fewest) [nearest, fewest] = [name, slips];
  }
  return nearest === undefined ? '' : `; did you mean '${nearest}'?`;
}

/** How many letters are missing, too many, wrong or changed over with the next; not counted above `enough`. */
function slipsBetween(one: string, other: string, enough: number): number {
  if (Math.abs(one.length - other.length) >= enough) return enough;
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1];
      const isTurned = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      next[j] = Math.min(
        at(row, j) + 1,
        at(next, j - 1) + 1,
        at(row, j - 1) + (isSame ? 0 : 1),
        isTurned ? at(before, j - 2) + 1 : Infinity,
      );
    }
    [before, row] = [row, next];
  }
  return at(row, other.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] as number;
}
