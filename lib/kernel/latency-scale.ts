/** A logarithmic scale of fixed size for latencies: a percentile read from it is off by at most 7 %. */

/** Latencies are counted in sixteenths of a millisecond ... */
const PER_MS = 16;
/** ... with this many buckets for each doubling: neighbours differ by at most 12.5 %. */
const PER_OCTAVE = 8;
const OCTAVE_BITS = 3;
/** Up to 2 ** 24 sixteenths, some 17 minutes. */
const HIGHEST = 2 ** 24 - 1;
/** How many slots there are. */
export const SLOTS = slotOf(Infinity) + 1;

/** How often each slot was met. */
type Counts = readonly number[] | Uint32Array;

/**
 * The place of a latency: below 8 units one for each, above it the three bits behind the highest one. It costs a few
 * shifts, where a logarithm would cost more than the rest of the counting.
 */
export function slotOf(latencyMs: number): number {
  const units = Math.min(latencyMs * PER_MS, HIGHEST) | 0;
  if (units < PER_OCTAVE) return units > 0 ? units : 0;
  const octave = 31 - Math.clz32(units) - OCTAVE_BITS;
  return octave * PER_OCTAVE + (units >> octave);
}

/** The middle of a slot, in ms; the first holds what is too short to tell. */
export function valueOf(slot: number): number {
  return slot === 0 ? 0 : (lowestOf(slot) + lowestOf(slot + 1)) / 2;
}

/** The lower end of a slot, in ms. */
function lowestOf(slot: number): number {
  if (slot < PER_OCTAVE) return slot / PER_MS;
  const octave = Math.floor(slot / PER_OCTAVE) - 1;
  return ((slot - octave * PER_OCTAVE) * 2 ** octave) / PER_MS;
}

export function totalOf(counts: Counts): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}

/** What `fraction` of the counted latencies did not exceed, in ms: the middle of its slot. */
export function percentileOf(counts: Counts, total: number, fraction: number): number {
  return valueOf(slotAt(counts, total, fraction));
}

/** The same, by the upper end of its slot. */
export function boundOf(counts: Counts, total: number, fraction: number): number {
  return lowestOf(slotAt(counts, total, fraction) + 1);
}

function slotAt(counts: Counts, total: number, fraction: number): number {
  const rank = Math.max(1, Math.ceil(fraction * total));
  let seen = 0;
  return counts.findIndex((count) => (seen += count) >= rank);
}
