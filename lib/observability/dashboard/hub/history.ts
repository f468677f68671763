import type { HistoryPoint } from '../protocol.js';
import type { Ended } from './meter.js';
import type { Percentiles } from './recent-durations.js';

/** A point each 5 s, for five minutes. */
export const POINT_MS = 5_000;
export const POINTS = 60;

const FIELDS = 7;

/** When the points were that all histories have in common. */
export class PointTimes {
  readonly #at: number[] = [];
  /** How many there were in all. */
  #made = 0;

  /** @param at epoch ms. @returns the place of the new point. */
  add(at: number): number {
    const place = this.#made++ % POINTS;
    this.#at[place] = at;
    return place;
  }

  /** The places with their times, oldest first. */
  *entries(): Generator<[place: number, at: number]> {
    for (let index = Math.max(0, this.#made - POINTS); index < this.#made; index++)
      yield [index % POINTS, this.#at[index % POINTS] as number];
  }
}

/** The last minutes of one instance, in as little memory as that takes. */
export class History {
  readonly #values = new Float32Array(POINTS * FIELDS);

  constructor() {
    // Before it was made nothing had ended.
    for (let place = 0; place < POINTS; place++) this.set(place, NOTHING, [null, null, null]);
  }

  set(place: number, { success, failure, refused, substituted }: Omit<Ended, 'calls'>, percentiles: Percentiles): void {
    const durations = percentiles.map((ms) => ms ?? NaN);
    this.#values.set([success, failure, refused, substituted, ...durations], place * FIELDS);
  }

  points(times: PointTimes): HistoryPoint[] {
    return [...times.entries()].map(([place, at]) => {
      const values = this.#values.subarray(place * FIELDS, (place + 1) * FIELDS);
      const [success = 0, failure = 0, refused = 0, substituted = 0, ...durations] = values;
      const [p50, p95, p99] = durations.map((ms) => (Number.isNaN(ms) ? null : Math.round(ms * 100) / 100));
      return [at, success, failure, refused, substituted, p50 ?? null, p95 ?? null, p99 ?? null];
    });
  }
}

const NOTHING = { success: 0, failure: 0, refused: 0, substituted: 0 };
