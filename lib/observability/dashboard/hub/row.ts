import type { CallCounts } from '../../../read-model/call-counts.js';
import type { InstanceState } from '../../../read-model/read-instances.js';
import type { InstanceRow, Sample } from '../protocol.js';
import { History, type PointTimes } from './history.js';
import { Meter, type Ended } from './meter.js';
import type { HistoryPoint } from '../protocol.js';

const QUIET: Ended = { calls: 0, success: 0, failure: 0, refused: 0, substituted: 0 };

/** One instance as the board shows it. */
export class Row {
  sample: Sample;
  /** At which look it was last another one. */
  changedAt: number;
  gone = false;
  #meter: Meter | undefined;
  #history: History | undefined;

  /** @param index its place among the rows. */
  constructor(
    public index: number,
    public info: InstanceRow,
    look: number,
  ) {
    this.changedAt = look;
    this.sample = blank(index);
  }

  /** @returns whether anything differs from the look before. */
  look(now: number, since: number, state: InstanceState | undefined, counts: CallCounts | undefined): boolean {
    const meter = this.#meterOf(counts, since);
    const ended = meter?.perSecond(now) ?? QUIET;
    const [p50, p95, p99] = meter?.percentiles(now) ?? [null, null, null];
    const { breaker, bulkhead, rateLimit } = state ?? {};
    return this.#show([
      this.index,
      breaker?.state ?? null,
      ended.calls,
      ended.failure,
      ended.refused,
      ended.substituted,
      p50,
      p95,
      p99,
      Math.max(counts?.inFlight ?? 0, bulkhead?.active ?? 0),
      (bulkhead?.waiting ?? 0) + (rateLimit?.waiting ?? 0),
      breaker === undefined ? null : Math.round(breaker.failureRatio * 1_000) / 1_000,
      breaker?.keys === undefined ? 0 : sum(breaker.keys) - breaker.keys.closed,
    ]);
  }

  /** The instance is gone: nothing is shown of it any more. */
  leave(): void {
    this.gone = true;
    this.#meter = undefined;
    this.#history = undefined;
    this.sample = blank(this.index);
  }

  /** Takes another place. */
  at(index: number): this {
    this.index = index;
    const [, ...numbers] = this.sample;
    this.sample = [index, ...numbers];
    return this;
  }

  /** A point for the chart. */
  point(now: number, place: number): void {
    const ended = this.#meter?.sinceLastPoint() ?? QUIET;
    if (this.#history === undefined && ended.calls === 0 && ended.refused === 0) return;
    this.#history ??= new History();
    this.#history.set(place, ended, this.#meter?.percentiles(now) ?? [null, null, null]);
  }

  history(times: PointTimes): HistoryPoint[] {
    return (this.#history ?? EMPTY).points(times);
  }

  /** Counting may have begun anew, in other buckets. */
  #meterOf(counts: CallCounts | undefined, since: number): Meter | undefined {
    if (counts === undefined) return (this.#meter = undefined);
    if (this.#meter?.counts !== counts) this.#meter = new Meter(counts, since);
    return this.#meter;
  }

  #show(sample: Sample): boolean {
    const before = this.sample;
    this.sample = sample;
    return sample.some((value, place) => value !== before[place]);
  }
}

const EMPTY = new History();

function blank(index: number): Sample {
  return [index, null, 0, 0, 0, 0, null, null, null, 0, 0, null, 0];
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, count) => all + count, 0);
}
