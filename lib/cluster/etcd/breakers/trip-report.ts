import { isPlainObject } from '../../../kernel/options/check.js';

/** Where the reports of processes stand, below the prefix of the fleet: one key a process. */
export const TRIPS = 'trips/';
/** How long a report may be, bytes. */
export const LONGEST_REPORT = 64 * 1024;

/** The fields of a report. */
export const REPORT_FIELDS: readonly (keyof TripReport)[] = ['open', 'called'];

/** What a process tells others of its breakers, by their names. */
export interface TripReport {
  /** Those that its own calls have opened. */
  readonly open: readonly string[];
  /** Those that it has called in their last window. */
  readonly called: readonly string[];
}

/** A report as it is kept in etcd. */
export interface WrittenReport {
  readonly text: string;
  /** How many breakers had no room. */
  readonly leftOut: number;
}

/** Writes a report whose lists begin with the most recent: where there is no room, the least recent are left out. */
export function writeReport({ open, called }: TripReport, longest = LONGEST_REPORT): WrittenReport {
  let room = longest - bytesOf({ open: [], called: [] });
  const fitting = (names: readonly string[]): string[] => {
    const end = names.findIndex((name) => (room -= bytesOf(name) + 1) < 0);
    return end < 0 ? [...names] : names.slice(0, end);
  };
  const report = { open: fitting(open), called: fitting(called) };
  const leftOut = open.length - report.open.length + called.length - report.called.length;
  return { text: JSON.stringify(report), leftOut };
}

/** What another process has written, of whatever version; undefined: it is no report. */
export function readReport(value: unknown): TripReport | undefined {
  return isPlainObject(value) ? { open: namesIn(value.open), called: namesIn(value.called) } : undefined;
}

function namesIn(value: unknown): string[] {
  return Array.isArray(value) ? [...new Set(value.filter((name): name is string => typeof name === 'string'))] : [];
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
