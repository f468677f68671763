/** Units of a currency for one dollar, on an average day. */
const AVERAGE: Readonly<Record<string, number>> = { EUR: 0.92, GBP: 0.79, JPY: 151 };

/** A rate swings by this share around its average, once in this time. */
const SWING = 0.03;
const SWING_MS = 60_000;

/** The rate of the moment; undefined for a currency that nobody trades here. */
export function exchangeRate(currency: string): number | undefined {
  const average = AVERAGE[currency];
  if (average === undefined) return undefined;
  const swing = 1 + SWING * Math.sin((2 * Math.PI * Date.now()) / SWING_MS);
  return Number((average * swing).toPrecision(6));
}
