import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@nestjs/common';
import { DataOwnedException } from '../port/errors.js';
import type { Claim, ClaimState, FoundClaim } from './claim-file.js';
import { bootMs, claimFileName, describeClaim, describeOther, encodeClaim, readClaims } from './claim-file.js';
import { ClaimJudge } from './claim-judge.js';
import type { FileSystem } from './file-system.js';
import { isMissing, removeFile } from './file-system.js';
import { closingHere, enterHere, leaveHere } from './owned-here.js';
import { currentProcess } from './process-identity.js';

/** So often a claim is renewed within its lease. */
const RENEWALS = 4;
/** So often claims of others are looked at within a lease, but not more often than every so many ms. */
const LOOKS = 20;
const SHORTEST_LOOK_MS = 5;

/**
 * The claim of one service on its folder: a file of a name of its own, which says again and again that it lives. Whoever
 * claims first creates that file, then looks for others, and owns the folder after a look that found none: of two
 * claimants at least one sees the other. Where both do, the one with the higher ticket steps back, and the other waits for
 * that. A claim without a sign of life is removed after its lease; should its owner live after all, the {@link Fence}
 * keeps it from acknowledging anything. Since no two files share a name, one can be deleted without a race.
 */
export class FolderOwner {
  #claim: Claim;
  /** On the clock of this process, in ms: when the last sign of life was begun. */
  #renewedAt = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> | undefined;
  #released = false;
  /** Called when the claim was found to be gone. */
  #onGone: () => void = () => undefined;

  private constructor(
    private readonly fileSystem: FileSystem,
    private readonly folder: string,
    private readonly file: string,
    private readonly lease: number,
    private readonly logger: Logger,
    claim: Claim,
  ) {
    this.#claim = claim;
  }

  /**
   * Claims an existing folder.
   *
   * @param folder its real path.
   * @param lease how long the claim counts without a sign of life, in ms.
   * @throws DataOwnedException naming the owner.
   */
  static async claim(fileSystem: FileSystem, folder: string, lease: number, logger: Logger): Promise<FolderOwner> {
    await enterHere(folder, 2 * lease);
    let owner: FolderOwner | undefined;
    try {
      const self = await currentProcess(fileSystem);
      const file = claimFileName(self.pid, randomUUID());
      const before = await readClaims(fileSystem, folder, file);
      const ticket = 1 + Math.max(0, ...before.map(({ claim }) => claim?.ticket ?? 0));
      const since = new Date().toISOString();
      const claim: Claim = { ...self, since, lease, ticket, state: 'claim', renewed: bootMs() };
      owner = new FolderOwner(fileSystem, folder, file, lease, logger, claim);
      await fileSystem.createText(join(folder, file), encodeClaim(claim));
      owner.#renewLater();
      await owner.#waitForOthers(new ClaimJudge(fileSystem, self, lease));
      await owner.#enter('owner');
      return owner;
    } catch (error) {
      if (owner === undefined) leaveHere(folder);
      // What went wrong first is what counts.
      else await owner.release().catch(() => undefined);
      throw error;
    }
  }

  /** Whether somebody may have taken the folder over, since no sign of life was given for as long as the lease. */
  get isLate(): boolean {
    return performance.now() - this.#renewedAt >= this.lease;
  }

  /** Has `callback` called when somebody has removed the claim. */
  onGone(callback: () => void): void {
    this.#onGone = callback;
  }

  /** Says that the folder will be given back, so that newcomers wait for that. */
  closing(): void {
    closingHere(this.folder);
    void this.#enter('close').catch(() => undefined);
  }

  async release(): Promise<void> {
    this.#released = true;
    clearTimeout(this.#timer);
    try {
      await this.#renewing;
      await removeFile(this.fileSystem, join(this.folder, this.file));
    } finally {
      leaveHere(this.folder);
    }
  }

  /** Who else claims the folder now, for a message. */
  describeOther(): Promise<string> {
    return describeOther(this.fileSystem, this.folder, this.file);
  }

  async #waitForOthers(judge: ClaimJudge): Promise<void> {
    const start = performance.now();
    let isSaid = false;
    for (;;) {
      const others = await readClaims(this.fileSystem, this.folder, this.file);
      let waitsFor: FoundClaim | undefined;
      for (const other of others) {
        const verdict = await judge.judge(other);
        if (verdict === 'ended' || verdict === 'expired') await this.#remove(other, verdict);
        else if (verdict === 'stands' && this.#goesFirst(other)) throw this.#owned(other);
        else waitsFor ??= other;
      }
      if (waitsFor === undefined) {
        if (others.length === 0) return;
        // What was removed may have been looked at long ago.
        continue;
      }
      const lease = waitsFor.claim?.lease ?? this.lease;
      if (performance.now() - start > 2 * Math.max(lease, this.lease)) throw this.#owned(waitsFor);
      if (!isSaid) this.#say(waitsFor, lease);
      isSaid = true;
      await delay(Math.max(SHORTEST_LOOK_MS, lease / LOOKS));
    }
  }

  /** One that is closing will go. */
  #goesFirst({ name, claim }: FoundClaim): boolean {
    if (claim === undefined || claim.state === 'owner') return true;
    if (claim.state === 'close') return false;
    const own = this.#claim.ticket;
    return claim.ticket === own ? name < this.file : claim.ticket < own;
  }

  async #remove(other: FoundClaim, verdict: 'ended' | 'expired'): Promise<void> {
    await removeFile(this.fileSystem, join(this.folder, other.name));
    if (verdict === 'ended') return;
    this.logger.warn(`${this.folder} is taken over from ${describeClaim(other)}, which gave no sign of life`);
  }

  #say(other: FoundClaim, lease: number): void {
    const what =
      other.claim?.state === 'close' ? 'gives it back' : other.claim?.state === 'claim' ? 'claims it too' : 'owns it';
    this.logger.warn(
      `${this.folder} cannot be opened yet: ${describeClaim(other)} ${what}; ` +
        `waiting, at most ${2 * lease} ms, for its end or for the end of its lease of ${lease} ms`,
    );
  }

  #owned({ name, claim, ...rest }: FoundClaim): DataOwnedException {
    const hint =
      claim !== undefined && claim.lease === undefined
        ? '; its file was written by a version without leases and never expires: ' +
          `if that process is gone for good, delete ${join(this.folder, name)}`
        : `; should it end without a word, the folder is free ${claim?.lease ?? this.lease} ms later`;
    const how = claim?.state === 'claim' ? 'being opened' : 'in use';
    return new DataOwnedException(
      `The data folder ${this.folder} is ${how} by ${describeClaim({ name, claim, ...rest })}; ` +
        `expected a folder that no other service has open${hint}`,
    );
  }

  #renewLater(): void {
    this.#timer = setTimeout(() => void this.#renew().then(() => this.#renewLater()), this.lease / RENEWALS);
    this.#timer.unref();
    if (this.#released) clearTimeout(this.#timer);
  }

  /** A sign of life. One that cannot be written is tried again; what that may cost is found out by the fence. */
  async #renew(): Promise<void> {
    try {
      await this.#enter(this.#claim.state);
    } catch (error) {
      if (isMissing(error) && !this.#released) this.#onGone();
    }
  }

  async #enter(state: ClaimState): Promise<void> {
    this.#claim = { ...this.#claim, state };
    // One after the other, so that an older one is not written last.
    const writing = (this.#renewing ?? Promise.resolve()).then(async () => {
      if (this.#released) return;
      const begun = performance.now();
      this.#claim = { ...this.#claim, renewed: bootMs() };
      await this.fileSystem.replaceText(join(this.folder, this.file), encodeClaim(this.#claim));
      this.#renewedAt = begun;
    });
    this.#renewing = writing.catch(() => undefined);
    await writing;
  }
}
