import type { Timer } from '../../../kernel/clock.js';
import type { AdviceMode } from '../../../policies/circuit-breaker/advice.js';
import type { EtcdEntry } from '../client/etcd-entry.js';
import { KeptLease, LEAST_TTL_S } from '../client/kept-lease.js';
import { KeyWatch, type KeyListener } from '../client/key-watch.js';
import { parsed } from '../commands/cluster-command.js';
import type { EtcdPart, EtcdSurroundings } from '../etcd-part.js';
import { LaterFields } from '../later-fields.js';
import { FleetTrips } from './fleet-trips.js';
import { OwnTrips, type OwnBreaker } from './own-trips.js';
import { PacedWriter } from './paced-writer.js';
import { readReport, REPORT_FIELDS, TRIPS, writeReport } from './trip-report.js';

/** One process alone is never enough: it may be the one that is cut off. */
const LEAST_VOTERS = 2;
/** How often it is looked at which breakers are called, ms. */
const LOOK_EVERY_MS = 1_000;
/** Within this time each process probes by itself after another has found the dependency well, ms. */
const SPREAD_MS = 1_000;

/**
 * Tells other processes which breakers the calls of this one have opened, and lets its own hear of theirs. All of it
 * happens beside the calls: a breaker that fails reads a field, and writes nothing.
 */
export class AdvicePart implements EtcdPart {
  readonly #fleet = new FleetTrips();
  readonly #own: OwnTrips;
  readonly #writer: PacedWriter;
  readonly #lease: KeptLease;
  readonly #watch: KeyWatch;
  readonly #ownKey: string;
  readonly #later: LaterFields;
  #isDeaf = false;
  #deafTimer: Timer | undefined;
  #lookTimer: Timer | undefined;
  #toldOfLength = false;

  constructor(
    private readonly surroundings: EtcdSurroundings,
    mode: AdviceMode,
  ) {
    const { client, options, processName, runtime } = surroundings;
    const { clock } = runtime.environment;
    const prefix = `${options.prefix}${TRIPS}`;
    this.#ownKey = `${prefix}${processName}`;
    this.#own = new OwnTrips(runtime.instances, clock, mode, {
      changed: () => this.#writer.changed(),
      added: (name) => this.#judge(name),
      turn: (name) => this.#fleet.turnOf(this.#ownKey, name),
    });
    this.#writer = new PacedWriter(clock, () => this.#text());
    this.#lease = new KeptLease(client, LEAST_TTL_S, {
      granted: (id) => this.#writer.writeBy((text) => client.put(this.#ownKey, text, id)),
      lost: () => this.#writer.pause(),
    });
    this.#later = new LaterFields(surroundings.log, REPORT_FIELDS);
    this.#watch = new KeyWatch(client, prefix, this.#listener());
  }

  start(): void {
    this.#own.start();
    this.#watch.start();
    this.#lease.start();
    this.#lookAgain();
  }

  async close(): Promise<void> {
    const { clock } = this.surroundings.runtime.environment;
    for (const timer of [this.#deafTimer, this.#lookTimer]) if (timer !== undefined) clock.clearTimeout(timer);
    this.#writer.close();
    this.#own.close();
    await Promise.all([this.#watch.close(), this.#lease.close()]);
  }

  #listener(): KeyListener {
    const { store } = this.surroundings;
    return {
      put: (entry) => this.#put(entry),
      deleted: (key) => this.#deleted(key),
      synced: () => {
        this.#stopDeafTimer();
        this.#isDeaf = false;
        store.heard(this.#watch);
        this.#judgeAll();
      },
      lost: (error) => {
        store.lost(this.#watch, error);
        this.#startDeafTimer();
      },
    };
  }

  #put({ key, value: text }: EtcdEntry): void {
    if (key === this.#ownKey) return;
    const value = parsed(text);
    this.#later.note(key, value);
    const report = readReport(value) ?? { open: [], called: [] };
    const before = this.#fleet.reportOf(key).open;
    const touched = this.#fleet.put(key, report);
    const open = new Set(report.open);
    const { random } = this.surroundings.runtime.environment;
    for (const name of before)
      if (!open.has(name)) this.#own.get(name)?.advice.probeWithin(Math.ceil(random() * SPREAD_MS));
    for (const name of touched) this.#judge(name);
  }

  /** A process that is gone has found nothing well. */
  #deleted(key: string): void {
    if (key === this.#ownKey) return this.#writer.lost();
    for (const name of this.#fleet.delete(key)) this.#judge(name);
  }

  #judgeAll(): void {
    for (const name of this.#own.names()) this.#judge(name);
  }

  /** Lets a breaker know whether enough other processes have opened theirs. */
  #judge(name: string): void {
    const own = this.#own.get(name);
    if (own === undefined) return;
    const reason = this.#isDeaf ? undefined : this.#quorumFor(name, own);
    if (reason === undefined) own.advice.lapsed();
    else own.advice.reached(reason);
  }

  #quorumFor(name: string, own: OwnBreaker): string | undefined {
    const { callers, voters } = this.#fleet.countOf(name);
    if (voters < LEAST_VOTERS) return undefined;
    const all = callers + Number(this.#own.isCalled(own));
    return voters < this.surroundings.options.quorum * all
      ? undefined
      : `advised by others: in ${voters} of ${all} processes that call it their own calls have opened it`;
  }

  #text(): string {
    const report = this.#own.report();
    const written = writeReport(report);
    return written.leftOut === 0 ? written.text : this.#shortened(writeReport(this.#own.byRecency(report)));
  }

  #shortened({ text, leftOut }: { text: string; leftOut: number }): string {
    if (!this.#toldOfLength)
      this.surroundings.log('warn', `${leftOut} breakers have no room in what this process tells others in etcd`);
    this.#toldOfLength = true;
    return text;
  }

  #lookAgain(): void {
    this.#lookTimer = this.surroundings.runtime.environment.clock.setTimeout(() => {
      this.#own.look();
      this.#writer.changed();
      this.#judgeAll();
      this.#lookAgain();
    }, LOOK_EVERY_MS);
    this.#lookTimer.unref();
  }

  /** What others said last holds for as long as their leases may. */
  #startDeafTimer(): void {
    if (this.#deafTimer !== undefined || this.#isDeaf) return;
    this.#deafTimer = this.surroundings.runtime.environment.clock.setTimeout(() => {
      this.#deafTimer = undefined;
      this.#isDeaf = true;
      this.#judgeAll();
    }, LEAST_TTL_S * 1_000);
    this.#deafTimer.unref();
  }

  #stopDeafTimer(): void {
    if (this.#deafTimer !== undefined) this.surroundings.runtime.environment.clock.clearTimeout(this.#deafTimer);
    this.#deafTimer = undefined;
  }
}
