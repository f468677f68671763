import type { HistoryPoint } from '../../../protocol.js';
import type { Numbers } from './sample.js';

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

/** One second, as the stream told it. */
export interface Second {
  /** Epoch ms. */
  readonly at: number;
  readonly numbers: Numbers;
}

/**
 * The points of a chart.
 *
 * @param history oldest first; counts since the point before become calls a second.
 * @param seconds what came since, oldest first; those that the history knows already are left out.
 */
export function chartData(history: readonly HistoryPoint[], seconds: readonly Second[] = []): ChartData {
  const lengths = history.map(([at], index) => {
    const before = history[index - 1]?.[0] ?? 2 * at - (history[index + 1]?.[0] ?? at + 1000);
    return Math.max(0.001, (at - before) / 1000);
  });
  const known = history.at(-1)?.[0] ?? 0;
  const newer = seconds.filter(({ at }) => at > known);
  const rate = (column: 1 | 2 | 3 | 4, of: (numbers: Numbers) => number) => [
    ...history.map((point, index) => round(point[column] / (lengths[index] ?? 1))),
    ...newer.map(({ numbers }) => of(numbers)),
  ];
  const latency = (column: 5 | 6 | 7, of: (numbers: Numbers) => number | null) => [
    ...history.map((point) => point[column]),
    ...newer.map(({ numbers }) => of(numbers)),
  ];
  return {
    at: [...history.map(([at]) => at / 1000), ...newer.map(({ at }) => at / 1000)],
    success: rate(1, ({ calls, failures, refused, substituted }) =>
      Math.max(0, calls - failures - refused - substituted),
    ),
    failure: rate(2, ({ failures }) => failures),
    refused: rate(3, ({ refused }) => refused),
    substituted: rate(4, ({ substituted }) => substituted),
    p50: latency(5, ({ p50 }) => p50),
    p95: latency(6, ({ p95 }) => p95),
    p99: latency(7, ({ p99 }) => p99),
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
