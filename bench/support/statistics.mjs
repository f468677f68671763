const RESAMPLES = 1_000;

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The median of all rounds with its 95 % interval, by a bootstrap in two levels: processes are drawn first, then rounds
 * within each, since results differ more from process to process than from round to round.
 *
 * @param groups the rounds of each process.
 */
export function interval(groups) {
  const random = seeded(1);
  const draw = (values) => values.map(() => values[Math.floor(random() * values.length)]);
  const medians = Array.from({ length: RESAMPLES }, () => median(draw(groups).flatMap(draw))).sort((a, b) => a - b);
  return {
    median: median(groups.flat()),
    low: medians[Math.floor(RESAMPLES * 0.025)],
    high: medians[Math.ceil(RESAMPLES * 0.975) - 1],
  };
}

/** The ratios of two subjects, round by round, of each process. */
export function ratios(results, numerator, denominator) {
  return results.map((result) => result[numerator].map((value, round) => value / result[denominator][round]));
}

/** The median of one subject over all processes. */
export function typical(results, name) {
  return median(results.flatMap((result) => result[name]));
}

/** The median and the extremes of a few single measurements. */
export function extremes(values) {
  return { median: median(values), low: Math.min(...values), high: Math.max(...values) };
}

/** Random numbers that are the same in every run (mulberry32). */
export function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
