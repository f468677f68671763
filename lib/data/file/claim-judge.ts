import { hostname } from 'node:os';
import type { FoundClaim } from './claim-file.js';
import { bootMs } from './claim-file.js';
import type { FileSystem } from './file-system.js';
import type { ProcessIdentity } from './process-identity.js';
import { isRunning, isSameBoot, lifeOf } from './process-identity.js';

/**
 * What becomes of somebody else's claim:
 * - `ended`: its process is gone;
 * - `expired`: it gave no sign of life for as long as its lease;
 * - `stands`: its process lives;
 * - `unknown`: nobody can tell yet.
 */
export type Verdict = 'ended' | 'expired' | 'stands' | 'unknown';

/** Judges the claims of others by what is seen of them, for as long as one waits. */
export class ClaimJudge {
  readonly #sightings = new Map<string, { text: string; since: number; changed: boolean }>();

  constructor(
    private readonly fileSystem: FileSystem,
    private readonly self: ProcessIdentity,
    /** That of claims that do not say theirs, in ms. */
    private readonly lease: number,
  ) {}

  async judge(found: FoundClaim): Promise<Verdict> {
    const { name, text, claim } = found;
    const before = this.#sightings.get(name);
    const now = bootMs();
    if (before?.text !== text) this.#sightings.set(name, { text, since: now, changed: before !== undefined });
    const { since, changed } = this.#sightings.get(name) ?? { since: now, changed: false };
    if (claim !== undefined && claim.lease === undefined) return this.#judgeWithoutLease(claim);
    const lease = claim?.lease ?? this.lease;
    const life = claim === undefined ? 'unknown' : await lifeOf(claim, this.self, this.fileSystem);
    if (life === 'ended') return 'ended';
    // On one machine the claim itself says how old it is; of another machine's it is known how long it has been watched.
    const isSeenHere = claim !== undefined && isSameBoot(claim, this.self) && claim.renewed <= now;
    if (now - (isSeenHere ? claim.renewed : since) >= lease) return 'expired';
    return claim !== undefined && (changed || life === 'runs') ? 'stands' : 'unknown';
  }

  /** One of a version without leases gives no signs of life: it stands unless its process is known to be gone. */
  async #judgeWithoutLease(claim: ProcessIdentity): Promise<Verdict> {
    if (claim.host !== hostname()) return 'stands';
    return (await isRunning(claim, this.fileSystem)) ? 'stands' : 'ended';
  }
}
