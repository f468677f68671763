import type { BreakerState, DashboardState } from '../../observability/dashboard/protocol.js';

/** An instance with the numbers of the last second, by name. */
export interface InstanceView {
  readonly name: string;
  readonly guards: readonly string[];
  readonly policies: readonly string[];
  /** Of its breaker; null: it has none. */
  readonly state: BreakerState | null;
  /** Calls that ended in the last second, and of these the failures, refusals, and answers of a fallback or recover. */
  readonly calls: number;
  readonly failures: number;
  readonly refused: number;
  readonly substituted: number;
  /** Of the last 10 s, ms; null: no call ended. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly inFlight: number;
  readonly waiting: number;
  readonly failureRatio: number | null;
  readonly keysNotClosed: number;
}

/** Which states come first: what somebody looks for. */
const RANKS: Readonly<Record<BreakerState, number>> = { forcedOpen: 0, open: 0, halfOpen: 1, disabled: 2, closed: 4 };
const RANK_OF_KEYS = 3;
const RANK_OF_REST = 4;

/** What an app has, those in trouble first, then the busiest. */
export function instancesOf({ instances, samples }: DashboardState): InstanceView[] {
  const views = samples.flatMap((sample) => {
    const [index, state, calls, failures, refused, substituted, p50, p95, p99, inFlight, waiting, ratio, keys] = sample;
    const row = instances[index];
    if (row === undefined) return [];
    const { name, guards, policies } = row;
    const counts = { calls, failures, refused, substituted, p50, p95, p99, inFlight, waiting };
    return [{ name, guards, policies, state, ...counts, failureRatio: ratio, keysNotClosed: keys }];
  });
  return views.sort((a, b) => rankOf(a) - rankOf(b) || b.calls - a.calls || compare(a.name, b.name));
}

/** Whether something of it is not as usual. */
export function isNotClosed({ state, keysNotClosed }: InstanceView): boolean {
  return keysNotClosed > 0 || (state !== null && state !== 'closed');
}

function rankOf({ state, keysNotClosed }: InstanceView): number {
  const rank = state === null ? RANK_OF_REST : RANKS[state];
  return keysNotClosed > 0 ? Math.min(rank, RANK_OF_KEYS) : rank;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
