/**
 * That this process leads, as a fence: `etcdData`'s `put(key, value, { fence })` writes only while this key is still the one
 * that came into being at this revision. A leader that was stopped, or cut off, for longer than it knows is refused so.
 *
 * @publicApi
 */
export interface Leadership {
  /** The key in etcd that says who leads, with the prefix of the app. */
  readonly key: string;
  /** The revision at which this leadership began; a whole number in text. */
  readonly createRevision: string;
}

/** Why the signal of a leader's method aborts. */
export class LeadershipLostError extends Error {
  override readonly name = 'AbortError';

  constructor(leaderOf: string, why: string) {
    super(`this process leads ${leaderOf} no more: ${why}`);
  }
}
