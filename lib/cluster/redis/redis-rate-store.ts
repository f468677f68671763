import { randomUUID } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { outsideCalls } from '../../data/port/outside-calls.js';
import { maskCredentials } from '../../errors/mask-credentials.js';
import type { ClusterRateStore, OnStoreError, TokenGrant, TokenRequest } from '../../kernel/cluster-rate-store.js';
import type { Timer } from '../../kernel/clock.js';
import { textOf } from '../../kernel/error-text.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { RedisBreaker } from './redis-breaker.js';
import { connect, connected } from './redis-client.js';
import type { ResolvedRedisOptions } from './redis.options.js';
import { BEAT, TAKE, type Script } from './scripts.js';

/** How often a process tells that it lives, ms, and after how long without a word it is gone. */
const BEAT_MS = 2_000;
const GONE_MS = 7_000;
/** How often one that is away is asked whether it is back, ms. */
const AWAY_MS = 1_000;
/** The longest that a start waits for the first answer, ms; without it the app goes on by itself. */
const START_MS = 500;

/** The limits of a cluster in Redis: one key for each, and a set of the processes that live. */
export class RedisRateStore implements ClusterRateStore {
  up = false;
  processes: number;
  readonly onStoreError: OnStoreError;
  readonly commandTimeout: number;
  /** By which the other processes know this one. */
  readonly #id = randomUUID();
  readonly #breaker: RedisBreaker;
  #client: Redis | Cluster | undefined;
  #beating: Timer | undefined;
  /** Whether it was said that it is away. */
  #toldAway = false;
  #closed = false;
  #lastError = 'it was not reached';
  /** How many requests, and connections, have failed. */
  errors = 0;

  constructor(
    private readonly options: ResolvedRedisOptions,
    private readonly environment: PolicyEnvironment,
  ) {
    this.processes = options.expectedProcesses;
    this.onStoreError = options.onStoreError;
    this.commandTimeout = options.commandTimeout;
    this.#breaker = new RedisBreaker(options.commandTimeout, environment, () => this.#changed());
  }

  /** Connects, and waits a moment for it: Redis may be down at the start. */
  async open(): Promise<void> {
    const client = (this.#client = connect(this.options));
    // Without a listener ioredis would write to the console.
    client.on('error', (error: unknown) => this.#note(error));
    let waiting: Timer | undefined;
    await new Promise<void>((resolve) => {
      waiting = this.environment.clock.setTimeout(resolve, START_MS);
      client.on('ready', () => {
        void connected(client)
          .then(() => this.#beat())
          .finally(resolve);
      });
      client.once('error', () => resolve());
    });
    if (waiting !== undefined) this.environment.clock.clearTimeout(waiting);
    if (!this.up) this.#tellAway();
    this.#beatIn(this.up ? BEAT_MS : AWAY_MS);
  }

  async take({ name, least, want, intervalMs, burst }: TokenRequest): Promise<TokenGrant> {
    const reply = await this.#run(TAKE, this.#key(name), intervalMs * 1_000, burst, least, want);
    const [granted, spareUs] = (reply as [unknown, unknown]).map(Number) as [number, number];
    return { granted, spareMs: spareUs / 1_000 };
  }

  /** Leaves, as far as Redis can be told, and lets go of the connection. */
  async close(): Promise<void> {
    this.#closed = true;
    this.up = false;
    this.#stopBeating();
    const client = this.#client;
    if (client === undefined) return;
    this.#client = undefined;
    if (client.status === 'ready') await this.#leave(client);
    this.#breaker.close();
    client.disconnect();
  }

  async #leave(client: Redis | Cluster): Promise<void> {
    const { clock } = this.environment;
    let late: Timer | undefined;
    await Promise.race([
      client.zrem(this.#key('processes'), this.#id).catch(() => undefined),
      new Promise((resolve) => (late = clock.setTimeout(() => resolve(undefined), this.commandTimeout))),
    ]);
    if (late !== undefined) clock.clearTimeout(late);
  }

  /** One key for each, whole in the braces: that makes its slot in a Redis Cluster. */
  #key(name: string): string {
    return `${this.options.prefix}:{${name}}`;
  }

  async #run(script: Script, key: string, ...args: (string | number)[]): Promise<unknown> {
    try {
      // A command may lie in the client for longer than the call that needed it first.
      return await outsideCalls(() => this.#breaker.fire(() => this.#evaluate(script, key, args)));
    } catch (error) {
      this.#note(error);
      throw error;
    }
  }

  async #evaluate({ text, sha }: Script, key: string, args: (string | number)[]): Promise<unknown> {
    const client = this.#client;
    if (client === undefined) throw new Error('the connection is closed');
    try {
      return await client.evalsha(sha, 1, key, ...args);
    } catch (error) {
      // It does not know the script: it was restarted, or nobody has sent it yet.
      if (textOf(error).includes('NOSCRIPT')) return client.eval(text, 1, key, ...args);
      throw error;
    }
  }

  async #beat(): Promise<void> {
    try {
      const processes = Number(await this.#run(BEAT, this.#key('processes'), this.#id, GONE_MS));
      if (this.#closed) return;
      this.processes = Math.max(1, processes);
      this.#changed();
    } catch {
      // It is asked again.
    }
  }

  #beatIn(ms: number): void {
    this.#stopBeating();
    if (this.#closed) return;
    const { clock, random } = this.environment;
    // Processes that were started together need not speak together.
    this.#beating = clock.setTimeout(() => void this.#beatAgain(), ms * (0.9 + 0.2 * random()));
    this.#beating.unref();
  }

  async #beatAgain(): Promise<void> {
    await this.#beat();
    this.#beatIn(this.up ? BEAT_MS : AWAY_MS);
  }

  #stopBeating(): void {
    if (this.#beating !== undefined) this.environment.clock.clearTimeout(this.#beating);
    this.#beating = undefined;
  }

  /** The breaker has another state, or an answer has come. */
  #changed(): void {
    if (this.#closed) return;
    if (!this.#breaker.closed) {
      const wasUp = this.up;
      this.up = false;
      if (wasUp) {
        this.#tellAway();
        this.#beatIn(AWAY_MS);
      }
    } else if (!this.up && this.processes > 0) this.#back();
  }

  #back(): void {
    this.up = true;
    if (this.#toldAway) this.#tell(true, `it answers, and ${this.processes} live processes share the limits`);
    this.#toldAway = false;
    this.#beatIn(BEAT_MS);
  }

  #tellAway(): void {
    if (this.#toldAway || this.#closed) return;
    this.#toldAway = true;
    this.#tell(false, this.#lastError);
  }

  #tell(up: boolean, reason: string): void {
    this.environment.events.emitChange({
      type: 'store',
      name: 'redis',
      policy: 'rateLimit',
      store: 'redis',
      up,
      reason,
    });
  }

  #note(error: unknown): void {
    if (this.#breaker.isRefusal(error)) return;
    this.errors++;
    this.#lastError = maskCredentials(textOf(error));
  }
}
