import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterSource } from '../../../read-model/cluster-source.js';
import { KeptLease } from '../client/kept-lease.js';
import { KeyWatch } from '../client/key-watch.js';
import type { EtcdPart, EtcdSurroundings } from '../etcd-part.js';
import { Candidate, type Candidacy } from './candidate.js';
import type { Elector } from './election-board.js';
import type { Term } from './term.js';

/** The part of its lease's life for which a leader leads without a renewal: the rest is for those who wait for it. */
const SURE = 2 / 3;

/** The leaderships for which this process stands, all under one lease. Without any it asks nothing of etcd. */
export class Elections implements EtcdPart, Elector, Candidacy {
  readonly client;
  readonly processName;
  readonly log;
  readonly #prefix: string;
  readonly #lease: KeptLease;
  readonly #watch: KeyWatch;
  readonly #candidates = new Map<string, Candidate>();
  #leaseId: string | undefined;
  #closed = false;

  constructor(private readonly surroundings: EtcdSurroundings) {
    const { client, options, processName, log } = surroundings;
    this.client = client;
    this.processName = processName;
    this.log = log;
    this.#prefix = `${options.prefix}leaders/`;
    this.#lease = new KeptLease(client, options.ttl, {
      granted: async (id) => {
        this.#leaseId = id;
        this.#campaign();
      },
      lost: () => {
        this.#leaseId = undefined;
        for (const candidate of this.#candidates.values()) candidate.end('its lease is lost');
      },
    });
    this.#watch = new KeyWatch(client, this.#prefix, {
      put: (entry) => this.#byKey(entry.key)?.seen(entry),
      deleted: (key) => this.#byKey(key)?.gone(),
      // A key may have come and gone meanwhile.
      synced: () => {
        surroundings.store.heard(this);
        this.#campaign();
      },
      lost: (error) => surroundings.store.lost(this, error),
    });
  }

  get lease(): string | undefined {
    return this.#leaseId;
  }

  get until(): number {
    return this.#lease.renewedAt + SURE * this.#lease.seconds * 1_000;
  }

  start(): void {
    this.surroundings.elections.open(this);
  }

  stand(leaderOf: string): void {
    if (this.#closed || this.#candidates.has(leaderOf)) return;
    const candidate = new Candidate(this, leaderOf, `${this.#prefix}${leaderOf}`);
    this.#candidates.set(leaderOf, candidate);
    this.#watch.start();
    this.#lease.start();
    candidate.campaign();
  }

  report(): Pick<ClusterSource, 'leaders'> {
    return { leaders: new Map([...this.#candidates].map(([name, { term }]) => [name, term !== undefined])) };
  }

  term(leaderOf: string): Term | undefined {
    return this.#candidates.get(leaderOf)?.term;
  }

  /** Gives the leaderships back when what ran under them has ended, or, late, while it still runs. */
  async close(): Promise<void> {
    this.#closed = true;
    this.surroundings.elections.close();
    const ended = Promise.all([...this.#candidates.values()].map((candidate) => candidate.close()));
    const inTime = new AbortController();
    const tooLate = delay(this.client.timeout, undefined, { signal: inTime.signal }).catch(() => undefined);
    await Promise.race([ended, tooLate]);
    inTime.abort();
    await Promise.all([this.#watch.close(), this.#lease.close()]);
  }

  #campaign(): void {
    for (const candidate of this.#candidates.values()) candidate.campaign();
  }

  #byKey(key: string): Candidate | undefined {
    return this.#candidates.get(key.slice(this.#prefix.length));
  }
}
