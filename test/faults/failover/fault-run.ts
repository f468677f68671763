import { setTimeout as delay } from 'node:timers/promises';
import type { DataService } from 'nestjs-bulwark/data';
import { pick } from '../../support/seeded-random.js';

/** What a run of writers has seen. */
export interface RunReport {
  /** The last acknowledged value of each key; undefined: an acknowledged delete. */
  readonly last: Map<string, number | undefined>;
  readonly acknowledged: number;
  readonly rejected: readonly unknown[];
  /** How many of the puts were acknowledged within a second, from 0 to 1. */
  readonly withinOneSecond: number;
  /** The longest time in which no put of anybody was acknowledged, in ms. */
  readonly longestGapMs: number;
  readonly slowestMs: number;
}

const KEYS_PER_WRITER = 3;
const LONGEST_PAUSE_MS = 40;

/** Lets `writers` write keys of their own, one write after the other each, until `until` settles. */
export async function runWriters(
  data: DataService,
  writers: number,
  random: () => number,
  until: Promise<unknown>,
): Promise<RunReport> {
  const last = new Map<string, number | undefined>();
  const rejected: unknown[] = [];
  const latencies: number[] = [];
  let isOver = false;
  let lastAt = performance.now();
  let longestGapMs = 0;

  const acknowledge = (since: number): void => {
    const now = performance.now();
    latencies.push(now - since);
    longestGapMs = Math.max(longestGapMs, now - lastAt);
    lastAt = now;
  };
  const write = async (writer: number): Promise<void> => {
    for (let n = 1; !isOver; n++) {
      const key = `writer-${writer}/${n % KEYS_PER_WRITER}`;
      const isDelete = random() < 0.05;
      const since = performance.now();
      try {
        if (isDelete) await data.delete(key);
        else await data.put(key, n);
        acknowledge(since);
        last.set(key, isDelete ? undefined : n);
      } catch (error) {
        rejected.push(error);
      }
      await delay(random() * LONGEST_PAUSE_MS);
    }
  };
  const ended = until.finally(() => (isOver = true));
  await Promise.all([ended, ...Array.from({ length: writers }, (_, writer) => write(writer))]);
  const fast = latencies.filter((ms) => ms <= 1_000).length;
  return {
    last,
    acknowledged: latencies.length,
    rejected,
    withinOneSecond: fast / latencies.length,
    longestGapMs,
    slowestMs: latencies.reduce((longest, ms) => Math.max(longest, ms), 0),
  };
}

/** One way to fail, and how to end it. */
export interface Fault {
  readonly name: string;
  begin(): Promise<void> | void;
  end(): Promise<void> | void;
}

/** Lets one fault follow another, with pauses, for `ms`; each kind at least once where the time is enough. */
export async function inflict(faults: readonly Fault[], ms: number, random: () => number): Promise<string[]> {
  const end = performance.now() + ms;
  const names: string[] = [];
  let left: Fault[] = [];
  while (performance.now() < end) {
    await delay(300 + random() * 2_000);
    if (left.length === 0) left = [...faults];
    const [fault] = left.splice(pick(random, left.length), 1);
    if (fault === undefined) break;
    names.push(fault.name);
    await fault.begin();
    await delay(200 + random() * 1_800);
    await fault.end();
  }
  return names;
}

/** What a loss test prints. */
export function describeRun({ acknowledged, withinOneSecond, longestGapMs, slowestMs }: RunReport): string {
  return (
    `${acknowledged} writes acknowledged, ${(100 * withinOneSecond).toFixed(2)} % within 1 s ` +
    `(the slowest after ${Math.round(slowestMs)} ms), longest gap ${Math.round(longestGapMs)} ms`
  );
}
