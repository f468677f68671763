import type { HistoryPoint } from '../../../protocol.js';

/** The outcomes in a second each, and the latencies; all lists are as long as `at`. */
export interface ChartData {
  /** Epoch seconds. */
  readonly at: readonly number[];
  readonly success: readonly number[];
  readonly substituted: readonly number[];
  readonly refused: readonly number[];
  readonly failure: readonly number[];
  readonly p50: readonly (number | null)[];
  readonly p95: readonly (number | null)[];
  readonly p99: readonly (number | null)[];
}

/** @param history oldest first; counts since the point before become calls a second. */
export function chartData(history: readonly HistoryPoint[]): ChartData {
  const seconds = history.map(([at], index) => {
    const before = history[index - 1]?.[0] ?? 2 * at - (history[index + 1]?.[0] ?? at + 1000);
    return Math.max(0.001, (at - before) / 1000);
  });
  const rate = (column: 1 | 2 | 3 | 4) =>
    history.map((point, index) => round(point[column] / (seconds[index] as number)));
  return {
    at: history.map(([at]) => at / 1000),
    success: rate(1),
    failure: rate(2),
    refused: rate(3),
    substituted: rate(4),
    p50: history.map((point) => point[5]),
    p95: history.map((point) => point[6]),
    p99: history.map((point) => point[7]),
  };
}

/** Each list with those behind it added: the lines of areas that stand upon one another, the topmost first. */
export function stacked(lists: readonly (readonly number[])[]): number[][] {
  const sums: number[][] = [];
  let below: number[] = [];
  for (const list of [...lists].reverse()) {
    below = list.map((value, index) => value + (below[index] ?? 0));
    sums.unshift(below);
  }
  return sums;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
