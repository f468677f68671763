const FIRST_MS = 500;
const LONGEST_MS = 15_000;

/**
 * The pause before the next try to connect, ms: twice as long each time, to 15 s, and by a quarter up or down, so that
 * all open pages do not come back to an app that has just started at once.
 *
 * @param failures how many tries failed in a row, from 1; @param chance from 0 to 1
 */
export function pauseMs(failures: number, chance: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1)) * (0.75 + chance / 2);
}
