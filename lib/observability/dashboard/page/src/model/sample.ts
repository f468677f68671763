import type { BreakerState, Sample } from '../../../protocol.js';

/** The numbers of one instance in one second, by their names. */
export interface Numbers {
  readonly state: BreakerState | null;
  readonly calls: number;
  readonly failures: number;
  readonly refused: number;
  readonly substituted: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly inFlight: number;
  readonly waiting: number;
  readonly failureRatio: number | null;
  readonly keysNotClosed: number;
}

/** What is known of an instance before its first sample. */
export const NOTHING: Numbers = {
  state: null,
  calls: 0,
  failures: 0,
  refused: 0,
  substituted: 0,
  p50: null,
  p95: null,
  p99: null,
  inFlight: 0,
  waiting: 0,
  failureRatio: null,
  keysNotClosed: 0,
};

export function numbersOf(sample: Sample): Numbers {
  const [
    ,
    state,
    calls,
    failures,
    refused,
    substituted,
    p50,
    p95,
    p99,
    inFlight,
    waiting,
    failureRatio,
    keysNotClosed,
  ] = sample;
  return {
    state,
    calls,
    failures,
    refused,
    substituted,
    p50,
    p95,
    p99,
    inFlight,
    waiting,
    failureRatio,
    keysNotClosed,
  };
}
