import { setTimeout as delay } from 'node:timers/promises';
import type { EtcdClient } from '../client/etcd-client.js';
import type { EtcdEntry } from '../client/etcd-entry.js';
import { Term } from './term.js';

/** How long it waits after a request of which it does not know what became, ms. */
const PAUSE_MS = 500;

/** What the candidates of a process have in common. */
export interface Candidacy {
  readonly client: EtcdClient;
  readonly processName: string;
  /** The lease that its keys hang on; undefined: none. */
  readonly lease: string | undefined;
  /** Until when what hangs on it counts, by `performance.now()`. */
  readonly until: number;
  readonly log: (level: 'log' | 'warn', text: string) => void;
}

/**
 * Stands for one leadership: puts the key where it is not there, and tries again when it goes. It leads for as long as the
 * key is its own and the lease was renewed lately: not longer, by the clock of this process, whatever anybody says.
 */
export class Candidate {
  readonly #stop = new AbortController();
  readonly #terms = new Set<Term>();
  #term: Term | undefined;
  #campaign: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param key that of the leadership, with the prefix. */
  constructor(
    private readonly candidacy: Candidacy,
    readonly name: string,
    readonly key: string,
  ) {}

  /** The time of leadership that runs now; undefined: this process does not lead. */
  get term(): Term | undefined {
    // A process that was stopped asks before any timer tells it.
    if (this.#term !== undefined && performance.now() >= this.candidacy.until) this.#expired();
    return this.#term;
  }

  /** Tries to become the leader, or finds that it is: there is a lease, or something has changed. */
  campaign(): void {
    this.#again = true;
    this.#campaign ??= this.#run().finally(() => {
      this.#campaign = undefined;
      if (this.#again) this.campaign();
    });
  }

  /** The key is there. */
  seen({ lease, createRevision }: EtcdEntry): void {
    const { leadership } = this.#term ?? {};
    if (leadership === undefined) return;
    if (lease !== this.candidacy.lease || createRevision !== leadership.createRevision) this.end('another one leads');
  }

  /** The key is gone. */
  gone(): void {
    this.end('its key is gone');
    this.campaign();
  }

  end(why: string): void {
    clearTimeout(this.#timer);
    const term = this.#term;
    this.#term = undefined;
    if (term === undefined) return;
    term.end(why);
    this.candidacy.log('warn', `This process leads '${this.name}' no more: ${why}`);
    void term.rest().then(() => this.#terms.delete(term));
  }

  /** Stands no more. Resolves when nothing runs that it has let run. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.end('the app is closing');
    await Promise.all([this.#campaign, ...[...this.#terms].map((term) => term.rest())]);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { candidacy } = this;
    while (!signal.aborted && this.term === undefined && candidacy.lease !== undefined) {
      this.#again = false;
      // Until the lease is renewed, or lost, nothing would come of it.
      if (performance.now() < candidacy.until) {
        try {
          if ((await this.#tryOnce(candidacy.lease)) === 'taken') return;
        } catch {
          // Whether the key was put is not known: the next try reads whose it is.
        }
      }
      if (this.#term === undefined)
        await delay(PAUSE_MS * (0.5 + Math.random()), undefined, { signal, ref: false }).catch(() => undefined);
    }
    this.#again = false;
  }

  /** @returns `taken`: somebody else leads. @throws what the client says; then nobody knows. */
  async #tryOnce(lease: string): Promise<'taken' | undefined> {
    const { client, processName } = this.candidacy;
    const put = await client.putIf(this.key, processName, { modRevision: null }, lease);
    if (put !== undefined) return this.#begin(lease, put);
    const owner = await client.get(this.key);
    if (owner === undefined) return undefined;
    return owner.lease === lease ? this.#begin(lease, owner.createRevision) : 'taken';
  }

  #begin(lease: string, createRevision: string): undefined {
    if (lease !== this.candidacy.lease || this.#stop.signal.aborted || performance.now() >= this.candidacy.until)
      return;
    const term = new Term(this.name, { key: this.key, createRevision });
    this.#term = term;
    this.#terms.add(term);
    this.candidacy.log('log', `This process leads '${this.name}'`);
    this.#watchOver();
  }

  /** Ends it when the lease was not renewed in time. */
  #watchOver(): void {
    const leftMs = this.candidacy.until - performance.now();
    if (leftMs <= 0) return this.#expired();
    this.#timer = setTimeout(() => this.#watchOver(), Math.ceil(leftMs));
    this.#timer.unref();
  }

  #expired(): void {
    this.end('its lease was not renewed in time');
    this.campaign();
  }
}
