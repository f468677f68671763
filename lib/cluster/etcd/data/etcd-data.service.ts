import type {
  DataCallOptions,
  DataEntriesOptions,
  DataEntry,
  DataPutOptions,
} from '../../../data/port/data-options.js';
import { DataService } from '../../../data/port/data.service.js';
import { DataConflictException } from '../../../data/port/errors.js';
import { checkKey, checkPrefix } from '../../../data/port/key.js';
import { KeyTurns } from '../../../data/port/key-turns.js';
import { OperationGate } from '../../../data/port/operation-gate.js';
import { parseValue, serializeValue } from '../../../data/port/value.js';
import { checkIfVersion } from '../../../data/port/version.js';
import { checkFence, isRevision } from './check-fence.js';
import { DataFencedException, type EtcdFence } from './data-fenced.exception.js';
import { resolveEtcdDataOptions, type EtcdDataOptions, type ResolvedEtcdDataOptions } from './etcd-data-options.js';
import { asDataError } from './etcd-faults.js';
import { EtcdStore, type Write } from './etcd-store.js';
import type { Changed } from './member.js';
import { TimeBudget } from './time-budget.js';

/**
 * What {@link EtcdDataService.put} takes.
 *
 * @publicApi
 */
export interface EtcdDataPutOptions extends DataPutOptions {
  /**
   * Write only while this leadership stands, as `EtcdService.leadership` gives it: etcd compares it in the same
   * transaction, so that a leader of the past changes nothing.
   *
   * @default undefined: write whoever leads.
   */
  fence?: EtcdFence | undefined;
}

/**
 * Keeps the data in a cluster of etcd, which several processes may use at the same time: each write is on most of its
 * members before it is acknowledged, and goes on while most of them live. For small sets: etcd keeps all of it in
 * memory, and is made for some GiB.
 *
 * An operation that a member does not answer goes to another one, while its time lasts. A put with `ifVersion` or
 * `fence` does not: where its outcome is not known, it is a DataUnavailableException, and what is there must be read.
 * A delete that was tried again says whether the last try has found the key.
 *
 * @publicApi
 */
export class EtcdDataService extends DataService {
  readonly #store: EtcdStore;
  readonly #gate: OperationGate;
  readonly #turns = new KeyTurns();

  private constructor(private readonly options: ResolvedEtcdDataOptions) {
    super();
    this.#store = new EtcdStore(options);
    this.#gate = new OperationGate(`The etcd data service under ${JSON.stringify(options.prefix)}`, asDataError);
  }

  /**
   * Connects to a cluster.
   *
   * @throws ResilienceConfigurationError for a wrong option.
   * @throws DataUnavailableException when no majority of the members answers.
   * @throws DataAccessException when this user is not let in.
   */
  static async open(options: EtcdDataOptions): Promise<EtcdDataService> {
    const service = new EtcdDataService(resolveEtcdDataOptions(options));
    try {
      // Alarms are no reason not to start: there may be enough to read.
      await service.get('ping');
      return service;
    } catch (error) {
      await service.close();
      throw error;
    }
  }

  override async get<T>(key: string, options: DataCallOptions = {}): Promise<T | undefined> {
    return (await this.entry<T>(key, options))?.value;
  }

  override async entry<T>(key: string, { signal }: DataCallOptions = {}): Promise<DataEntry<T> | undefined> {
    checkKey(key);
    const found = await this.#run(signal, (budget) => this.#store.find(key, budget));
    return found && { value: parseValue<T>(found.value), version: found.modRevision };
  }

  /**
   * @throws DataConflictException when `ifVersion` is not the key's version (`null`: when the key is there).
   * @throws DataFencedException when the leadership of `fence` has ended.
   */
  override async put<T>(key: string, value: T, { ifVersion, fence, signal }: EtcdDataPutOptions = {}): Promise<void> {
    checkKey(key);
    checkIfVersion(key, ifVersion);
    checkFence(key, fence);
    const text = serializeValue(key, value);
    this.#gate.assertOpen();
    signal?.throwIfAborted();
    // What no etcd has given out stands nowhere.
    if (typeof ifVersion === 'string' && !isRevision(ifVersion)) throw new DataConflictException(key, ifVersion);
    const written = await this.#write({ key, text, modRevision: ifVersion, fence }, signal);
    if (written.applied) return;
    if (fence !== undefined && written.lost === fence) throw new DataFencedException(key, fence);
    throw new DataConflictException(key, ifVersion ?? null);
  }

  override async delete(key: string, { signal }: DataCallOptions = {}): Promise<boolean> {
    checkKey(key);
    const written = await this.#write({ key, text: undefined }, signal);
    return written.applied && written.deleted;
  }

  override async *entries<T>({ prefix = '', signal }: DataEntriesOptions = {}): AsyncGenerator<
    [string, T],
    void,
    undefined
  > {
    checkPrefix(prefix);
    let next: Buffer | undefined;
    let revision: string | undefined;
    for (;;) {
      const page = await this.#run(signal, (budget) => this.#store.page(prefix, next, revision, budget));
      for (const entry of page.entries) {
        yield [this.#store.nameOf(entry), parseValue<T>(entry.value)];
        this.#gate.assertOpen();
        signal?.throwIfAborted();
      }
      if (page.next === undefined) return;
      next = page.next;
      revision = page.revision;
    }
  }

  /** @throws DataUnavailableException also when etcd has raised an alarm, such as NOSPACE: it takes no writes. */
  override async ping({ signal }: DataCallOptions = {}): Promise<void> {
    return this.#run(signal, (budget) => this.#store.ping(budget));
  }

  override close(): Promise<void> {
    return this.#gate.close(() => this.#store.close());
  }

  #write(write: Write, signal: AbortSignal | undefined): Promise<Changed> {
    return this.#run(signal, (budget) => this.#turns.run(write.key, signal, () => this.#store.write(write, budget)));
  }

  #run<T>(signal: AbortSignal | undefined, work: (budget: TimeBudget) => Promise<T>): Promise<T> {
    return this.#gate.run(signal, () => work(new TimeBudget(this.options.timeout, signal)));
  }
}
