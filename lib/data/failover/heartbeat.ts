import type { Clock, Timer } from '../../kernel/clock.js';
import type { GuardedNode } from './guarded-node.js';
import { HEARTBEAT_KEY } from './reserved-key.js';
import type { VersionSource } from './version-source.js';
import type { PrimaryNode } from './primary-node.js';

/** A heartbeat that the primary has. */
interface Beat {
  readonly version: string;
  /** When it was sent, on the monotonic clock. */
  readonly sentAt: number;
}

/** How many heartbeats are written in the span that a replica may lag behind. */
const BEATS_PER_SPAN = 4;
const MAX_TRIES = 4;

/**
 * Measures how far replicas lag behind: a row is written through the primary again and again, and what a replica shows
 * of it says up to when it has everything. The clocks of other machines do not matter, since only own heartbeats count.
 * The row's version only grows, so a replica with a higher one has the own one too.
 */
export class Heartbeat {
  /** The own heartbeats of the last span, in order. */
  #beats: Beat[] = [];
  readonly #seenUpTo = new Map<GuardedNode, number>();
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(
    private readonly maxStaleness: number,
    private readonly primary: PrimaryNode,
    private readonly replicas: readonly GuardedNode[],
    private readonly versions: VersionSource,
    private readonly clock: Clock,
  ) {}

  start(): void {
    this.#running = this.#beat();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== undefined) this.clock.clearTimeout(this.#timer);
    await this.#running;
  }

  /** How far a replica lags behind at most, in ms, by what was seen last; undefined where nothing was. */
  stalenessOf(replica: GuardedNode): number | undefined {
    const upTo = this.#seenUpTo.get(replica);
    return upTo === undefined ? undefined : this.clock.now() - upTo;
  }

  /** Whether a replica lags no further behind than it may. */
  async isFresh(replica: GuardedNode, signal?: AbortSignal): Promise<boolean> {
    if (this.#isWithin(replica)) return true;
    await this.#look(replica, signal);
    return this.#isWithin(replica);
  }

  async #beat(): Promise<void> {
    await this.#write().catch(() => undefined);
    await Promise.all(this.replicas.map((replica) => this.#look(replica).catch(() => undefined)));
    if (this.#stopped) return;
    this.#timer = this.clock.setTimeout(() => this.start(), Math.max(1, this.maxStaleness / BEATS_PER_SPAN));
    this.#timer.unref();
  }

  async #write(): Promise<void> {
    // Another process with a clock ahead may have a higher version there: only an own one says when it was sent.
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const sentAt = this.clock.now();
      const version = await this.versions.next();
      const write = { key: HEARTBEAT_KEY, text: JSON.stringify({ at: this.clock.wallNow() }), version };
      const standing = await this.primary.write((service, signal) => service.apply(write, { signal }));
      this.versions.observe(standing);
      if (standing !== version) continue;
      const oldest = this.clock.now() - this.maxStaleness;
      this.#beats = [...this.#beats.filter((beat) => beat.sentAt >= oldest), { version, sentAt }];
      return;
    }
  }

  async #look(replica: GuardedNode, signal?: AbortSignal): Promise<void> {
    const found = await replica.run((service, inner) => service.lastWrite(HEARTBEAT_KEY, { signal: inner }), signal);
    const beat = this.#beats.findLast(({ version }) => found !== undefined && version <= found.version);
    if (beat !== undefined) this.#seenUpTo.set(replica, beat.sentAt);
  }

  #isWithin(replica: GuardedNode): boolean {
    const staleness = this.stalenessOf(replica);
    return staleness !== undefined && staleness <= this.maxStaleness;
  }
}
