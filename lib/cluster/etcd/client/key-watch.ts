import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { entryOf, isText, type EtcdClient, type WireEntry } from './etcd-client.js';
import { isLater, type EtcdEntry } from './etcd-entry.js';

/** How often what a watch has told is held against what etcd holds, ms: a watch that is dead looks like a quiet one. */
const LOOK_EVERY_MS = 30_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

/** What is told of the keys under a prefix. */
export interface KeyListener {
  /** A key was put, or is there at the first look. */
  put(entry: EtcdEntry): void;
  /** @param revision that of the deletion, or a later one at which the key was found to be gone. */
  deleted(key: string, before: EtcdEntry, revision: string): void;
  /** All that was there at one revision has been told; again after each time that the connection was lost. */
  synced?(revision: string): void;
  /** Nothing is heard of etcd, any more or from the beginning; it goes on by itself. */
  lost?(error: unknown): void;
}

export interface KeyWatchOptions {
  /** How often what was told is held against what etcd holds, ms. */
  readonly lookEveryMs?: number;
  /** Whether somebody waits for what it tells, and the process is to live as long as that. @default false */
  readonly forItself?: boolean;
}

/**
 * Knows the keys under a prefix, whatever happens to the connection: a list at one revision, then a watch from the next
 * one. Where the watch ends, falls silent or asks for a revision that was compacted, it is begun anew, and what happened
 * meanwhile is told as if it had been heard.
 *
 * The reconnection of etcd3's own watchers is not used: theirs goes on after the newest revision of the cluster, and so
 * may leave out what was not told yet.
 */
export class KeyWatch {
  readonly #known = new Map<string, EtcdEntry>();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  readonly #lookEveryMs: number;
  readonly #forItself: boolean;
  /** Undefined until the first look has succeeded or failed. */
  #connected: boolean | undefined;

  constructor(
    private readonly client: EtcdClient,
    readonly prefix: string,
    private readonly listener: KeyListener,
    { lookEveryMs = LOOK_EVERY_MS, forItself = false }: KeyWatchOptions = {},
  ) {
    this.#lookEveryMs = lookEveryMs;
    this.#forItself = forItself;
  }

  /** What is known to be there, by key. */
  get entries(): ReadonlyMap<string, EtcdEntry> {
    return this.#known;
  }

  /** Whether it hears of etcd. */
  get connected(): boolean {
    return this.#connected === true;
  }

  /** Begins, and goes on until {@link close}. */
  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted;) {
      try {
        const revision = await this.#look();
        this.#connected = true;
        this.listener.synced?.(revision);
        pauseMs = FIRST_PAUSE_MS;
        const { start } = this.client;
        if (start !== undefined && !this.#forItself) await Promise.race([start, once(signal, 'abort')]);
        if (signal.aborted) return;
        await this.#follow(revision);
      } catch (error) {
        if (signal.aborted) return;
        if (this.#connected !== false) this.listener.lost?.(error);
        this.#connected = false;
        // Many processes lose one member at once, and come back apart.
        await delay(pauseMs * (0.5 + Math.random()), undefined, { signal, ref: false }).catch(() => undefined);
        pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
      }
    }
  }

  /** Tells what is other than it was known. @returns the revision of what is known now. */
  async #look(): Promise<string> {
    const { revision, entries } = await this.client.list(this.prefix);
    const there = new Set(entries.map(({ key }) => key));
    for (const [key, before] of [...this.#known]) if (!there.has(key)) this.#deleted(before, revision);
    for (const entry of entries) if (this.#known.get(entry.key)?.modRevision !== entry.modRevision) this.#put(entry);
    return revision;
  }

  /** Hears what comes after `revision`, until the watch ends or has missed something. */
  async #follow(revision: string): Promise<void> {
    const { signal } = this.#stop;
    const watcher = this.client.changesFrom(this.prefix, (BigInt(revision) + 1n).toString());
    const ended = new AbortController();
    const end = (error: unknown): void => ended.abort(error);
    watcher.on('data', ({ events }) => {
      for (const { type, kv } of events as readonly { type: string; kv: WireEntry }[])
        if (isText(kv)) this.#hear(type, entryOf(kv));
    });
    watcher.on('error', end);
    watcher.on('disconnected', end);
    watcher.on('end', () => end(new Error('the watch has ended')));
    try {
      const either = AbortSignal.any([signal, ended.signal]);
      for (;;) {
        await delay(this.#lookEveryMs * (0.75 + 0.5 * Math.random()), undefined, { signal: either, ref: false }).catch(
          () => undefined,
        );
        if (either.aborted) throw either.reason;
        if (await this.#hasMissed()) throw new Error('the watch is silent, although something has changed');
      }
    } finally {
      watcher.removeAllListeners();
      watcher.on('error', () => undefined);
      watcher.cancel().catch(() => undefined);
    }
  }

  /** Whether etcd holds something that the watch has not told, and does not tell soon. */
  async #hasMissed(): Promise<boolean> {
    const { entries } = await this.client.list(this.prefix);
    const missed = (): boolean =>
      entries.length > this.#known.size ||
      entries.some(({ key, modRevision }) => isLater(modRevision, this.#known.get(key)?.modRevision ?? '0'));
    const kept = (): boolean => this.#known.size > entries.length;
    if (!missed() && !kept()) return false;
    await delay(this.client.timeout, undefined, { ref: false });
    return missed() || kept();
  }

  #hear(type: string, entry: EtcdEntry): void {
    if (this.#stop.signal.aborted) return;
    if (type === 'Put') return this.#put(entry);
    const before = this.#known.get(entry.key);
    if (before !== undefined) this.#deleted(before, entry.modRevision);
  }

  #put(entry: EtcdEntry): void {
    this.#known.set(entry.key, entry);
    this.listener.put(entry);
  }

  #deleted(before: EtcdEntry, revision: string): void {
    this.#known.delete(before.key);
    this.listener.deleted(before.key, before, revision);
  }
}
