import { Logger } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { Subject } from 'rxjs';
import type { DataCallOptions, DataEntriesOptions, DataEntry, DataPutOptions } from '../port/data-options.js';
import { DataService } from '../port/data.service.js';
import { checkKey, checkPrefix } from '../port/key.js';
import { OperationGate } from '../port/operation-gate.js';
import { outsideCalls } from '../port/outside-calls.js';
import { parseValue, serializeValue } from '../port/value.js';
import { checkIfVersion } from '../port/version.js';
import type { FailoverEvent, FailoverStatus } from './failover-event.js';
import type { FailoverDataOptions } from './failover-options.js';
import { resolveFailoverOptions } from './resolve-options.js';
import { FailoverParts } from './failover-parts.js';
import { GuardedObservable } from './guarded-observable.js';
import { logChanges } from './log-changes.js';
import { refuseReserved } from './reserved-key.js';
import type { Surroundings } from './surroundings.js';
import { realSurroundings, throttledReport } from './surroundings.js';

/**
 * Keeps the data in one store, the primary, and goes on as far as the options want while that is down: standbys are
 * read, and writes wait on this machine's disk. Each store is behind a breaker of its own. Nothing is ever promoted: it
 * is no consensus.
 *
 * @publicApi
 */
export class FailoverDataService extends DataService {
  /**
   * What happens to the nodes and to the queue; ends with {@link close}. A subscriber that throws, or gives a promise that
   * rejects, is logged once a minute and hurts nobody; what stands behind a `pipe()` is rxjs's own to report.
   */
  readonly events$: Observable<FailoverEvent>;
  readonly #parts: FailoverParts;
  readonly #gate = new OperationGate('The failover data service');

  private constructor(parts: FailoverParts, events: Observable<FailoverEvent>) {
    super();
    this.#parts = parts;
    this.events$ = events;
  }

  /**
   * Opens the nodes and the queue, and begins to replay what an earlier life has left there. A node that is unavailable
   * is taken for down, and opened when it is back.
   *
   * @param surroundings for tests; the system's own by default.
   * @throws ResilienceConfigurationError for a wrong option, or a node that is no ReplicableDataService.
   * @throws DataOwnedException when another service has the queue's folder open.
   * @throws what opening a node throws, unless it is a DataUnavailableException.
   */
  static async open(
    options: FailoverDataOptions,
    surroundings: Surroundings = realSurroundings,
  ): Promise<FailoverDataService> {
    const resolved = resolveFailoverOptions(options);
    const logger = new Logger(FailoverDataService.name);
    const events = new Subject<FailoverEvent>();
    logChanges(events, logger);
    const report = throttledReport(surroundings.clock, logger);
    const parts = await outsideCalls(() => FailoverParts.open(resolved, surroundings, report, logger, events));
    const guarded = new GuardedObservable(events, (error) => report('a subscriber of events$', error));
    return new FailoverDataService(parts, guarded);
  }

  override async get<T>(key: string, options: DataCallOptions = {}): Promise<T | undefined> {
    return (await this.entry<T>(key, options))?.value;
  }

  override async entry<T>(key: string, { signal }: DataCallOptions = {}): Promise<DataEntry<T> | undefined> {
    checkOwnKey(key);
    const found = await this.#gate.run(signal, () => this.#parts.reader.lastWrite(key, signal));
    if (found?.text === undefined) return undefined;
    return { value: parseValue<T>(found.text), version: found.version };
  }

  /**
   * Writes a value: once resolved, it is durable in the primary, or, with `writes: 'queue'`, on this machine's disk.
   *
   * With `ifVersion`, and the key's last write in the queue, that write goes to the primary first; where it cannot, its
   * version is the one that counts. Where the primary cannot be asked, and nothing is queued, the put rejects.
   *
   * @throws DataConflictException when `ifVersion` is not the key's version (`null`: when the key is there).
   * @throws DataUnavailableException when the primary cannot take it and it is not queued; it may have arrived.
   * @throws DataReadOnlyException when the primary says that it is read-only and it is not queued.
   */
  override async put<T>(key: string, value: T, { ifVersion, signal }: DataPutOptions = {}): Promise<void> {
    checkOwnKey(key);
    checkIfVersion(key, ifVersion);
    const text = serializeValue(key, value);
    await this.#gate.run(signal, () => this.#parts.writer.put(key, text, ifVersion, signal));
  }

  /**
   * Removes a key, durably once resolved, as {@link put} writes it.
   *
   * @returns whether it was there; true too where that cannot be known, since the delete waits in the queue.
   */
  override async delete(key: string, { signal }: DataCallOptions = {}): Promise<boolean> {
    checkOwnKey(key);
    return this.#gate.run(signal, () => this.#parts.writer.delete(key, signal));
  }

  override async *entries<T>({ prefix = '', signal }: DataEntriesOptions = {}): AsyncGenerator<
    [string, T],
    void,
    undefined
  > {
    checkPrefix(prefix);
    const writes = this.#parts.reader.writes(prefix, signal);
    try {
      for (;;) {
        const step = await this.#gate.run(signal, () => writes.next());
        if (step.done === true) return;
        const { key, text } = step.value;
        if (text === undefined) continue;
        yield [key, parseValue<T>(text)];
        this.#gate.assertOpen();
        signal?.throwIfAborted();
      }
    } finally {
      // Not waited for: it may hang where a node does.
      void writes.return().catch(() => undefined);
    }
  }

  /** Resolves when the primary answers; what else is possible while it does not is in {@link status}. */
  override async ping({ signal }: DataCallOptions = {}): Promise<void> {
    const { primary } = this.#parts;
    return this.#gate.run(signal, () => primary.run((service, inner) => service.ping({ signal: inner }), signal));
  }

  /** How the nodes and the queue stand. */
  status(): FailoverStatus {
    return this.#parts.status();
  }

  /**
   * Waits for the operations that are under way, and closes what it has opened. What is queued stays on the disk, and is
   * replayed by the next service on the same folder.
   */
  override close(): Promise<void> {
    return this.#gate.close(() => this.#parts.close());
  }
}

function checkOwnKey(key: unknown): asserts key is string {
  checkKey(key);
  refuseReserved(key);
}
