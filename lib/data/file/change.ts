import { DataConflictException } from '../errors.js';
import type { DataWrite } from '../replicable-data.service.js';
import type { VersionClock } from '../version-clock.js';
import { isNewer } from '../version-clock.js';
import type { StoredEntry } from './journal-record.js';

/** What becomes of a change: nothing is written where there is no `entry` in it. */
export type Verdict =
  | { readonly error: Error }
  | {
      /** What its caller is told once it is durable. */
      readonly result: unknown;
      /** What the key holds from then on; undefined: nothing. */
      readonly entry?: StoredEntry | undefined;
    };

/** A change that a caller asked for. */
export interface Change {
  readonly key: string;
  /** Judges it by what the key holds when its turn has come. */
  judge(current: StoredEntry | undefined): Verdict;
}

/** @param ifVersion the version that the key must have; null: none; undefined: any. */
export function putting(
  key: string,
  text: string,
  ifVersion: string | null | undefined,
  versions: VersionClock,
): Change {
  return {
    key,
    judge: (current) =>
      conflict(key, current, ifVersion) ?? { result: undefined, entry: { text, version: versions.next() } },
  };
}

/** The result is whether the key was there; a tombstone goes as well. */
export function deleting(key: string): Change {
  return {
    key,
    judge: (current) =>
      current === undefined ? { result: false } : { result: current.text !== undefined, entry: undefined },
  };
}

/** The result is the version that the key has afterwards. */
export function applying({ key, text, version }: DataWrite, ifVersion: string | null | undefined): Change {
  return {
    key,
    judge: (current) => {
      if (current?.version === version) return { result: version };
      const refused = conflict(key, current, ifVersion);
      if (refused !== undefined) return refused;
      if (current !== undefined && !isNewer(version, current.version)) return { result: current.version };
      return { result: version, entry: { text, version } };
    },
  };
}

/** The result is whether there was something to remove. */
export function forgetting(key: string, version: string): Change {
  return {
    key,
    judge: (current) => (current?.version === version ? { result: true, entry: undefined } : { result: false }),
  };
}

function conflict(
  key: string,
  current: StoredEntry | undefined,
  ifVersion: string | null | undefined,
): Verdict | undefined {
  if (ifVersion === undefined) return undefined;
  const version = current?.text === undefined ? null : current.version;
  return version === ifVersion ? undefined : { error: new DataConflictException(key, ifVersion) };
}
