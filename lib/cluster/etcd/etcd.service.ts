import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { ShutdownException } from '../../errors/shutdown.exception.js';
import { aName, checkValue, type Expectation } from '../../kernel/options/check.js';
import type { EtcdEntry } from './client/etcd-entry.js';
import type { EndpointOptions } from './discovery/endpoint-options.js';
import { EndpointSet } from './discovery/endpoint-set.js';
import { EtcdEndpoints } from './discovery/etcd-endpoints.js';
import type { Leadership } from './election/leadership.js';
import { isServiceName } from './etcd-options-check.js';
import { ETCD_SURROUNDINGS } from './etcd.tokens.js';
import type { EtcdSurroundings } from './etcd-part.js';
import type { EtcdChange } from './store/etcd-change.js';
import { WatchedChanges } from './store/watched-changes.js';
import { CommandWriter, type CommandOptions, type ResetOptions } from './commands/command-writer.js';

/**
 * The cluster of etcd that the app's processes share, as a plain store of texts. Keys are those of the app: the prefix of
 * the options goes before them, and is not seen here. The parts of this library keep theirs under `rules`, `status/`,
 * `trips/`, `commands/`, `resets/`, `endpoints/`, `leaders/` and `data/`.
 *
 * Each request ends within the `timeout` of the options. None is repeated: one that rejected may have been done all the same.
 *
 * @example
 * await etcd.put('hello', 'world');
 * (await etcd.get('hello'))?.value; // 'world'
 * for await (const { type, key, value } of etcd.watch('hello')) console.log(type, key, value);
 *
 * @publicApi
 */
@Injectable()
export class EtcdService implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly #surroundings: EtcdSurroundings;
  readonly #watches = new Set<WatchedChanges>();
  readonly #sets = new Map<string, { readonly source: EtcdEndpoints; readonly set: EndpointSet }>();
  #state: 'starting' | 'running' | 'leaving' | 'closed' = 'starting';
  readonly #commands: CommandWriter;

  constructor(@Inject(ETCD_SURROUNDINGS) surroundings: unknown) {
    this.#surroundings = surroundings as EtcdSurroundings;
    const { client, options, runtime } = this.#surroundings;
    this.#commands = new CommandWriter(client, options.prefix, () => runtime.environment.clock.wallNow());
  }

  /**
   * Orders something of a breaker in all processes that hear commands, those that start later included, until it ends by
   * itself; `'normal'` takes it back. The last order of a breaker is in force. It goes before rules, and what an operator of one
   * process says by hand before it.
   *
   * @param name the breaker's; one that no process has is kept until a process has it.
   *
   * @example
   * await etcd.command('payments', { state: 'forcedOpen', reason: 'failover of the bank', author: 'ann', for: 600_000 });
   */
  command(name: string, options: CommandOptions): Promise<void> {
    return this.#commands.command(name, options);
  }

  /**
   * Closes a breaker, with all its keys, in every process that hears of it now, and forgets what it has counted. A command that
   * is in force stays, and so does what an operator of one process has said by hand.
   */
  reset(name: string, options: ResetOptions): Promise<void> {
    return this.#commands.reset(name, options);
  }

  /** @internal */
  get surroundings(): EtcdSurroundings {
    return this.#surroundings;
  }

  /** What stands at a key; undefined: nothing. */
  async get(key: string): Promise<EtcdEntry | undefined> {
    const found = await this.#client.get(this.#full('get', key));
    return found && { ...found, key };
  }

  /** @returns the revision at which it was put. */
  async put(key: string, value: string): Promise<string> {
    checkValue('EtcdService.put', 'value', value, aText);
    return this.#client.put(this.#full('put', key), value);
  }

  /** @returns whether the key was there. */
  async delete(key: string): Promise<boolean> {
    return this.#client.delete(this.#full('delete', key));
  }

  /**
   * What is there under a prefix, each key as a `put`, and then whatever changes, until `return()` (which `break` calls) or the
   * end of the app. It goes on by itself when etcd was away; what happened meanwhile is told then. Of a key that changes
   * faster than it is read only its newest state is told.
   *
   * @param prefix may be empty: all keys of the app.
   */
  watch(prefix: string): AsyncIterableIterator<EtcdChange, undefined> {
    checkValue('EtcdService.watch', 'prefix', prefix, aText);
    const forget = (changes: WatchedChanges): void => void this.#watches.delete(changes);
    const changes = new WatchedChanges(this.#client, this.#surroundings.options.prefix, prefix, forget);
    this.#watches.add(changes);
    if (this.#ends) void changes.return();
    return changes;
  }

  /**
   * The processes that are registered for a service (option `discovery`), of this app or of others under the same prefix. The
   * same set each time; the options count that were given first. They are looked for from the start of the app on, or from
   * the first call.
   *
   * @throws ShutdownException when the app has ended and the set was not asked for before.
   *
   * @example
   * const stock = etcd.endpoints('stock');
   * await resilience.execute('stock', (call) => stock.run((address, { signal }) => fetch(`${address}/items`, { signal }), call));
   */
  endpoints(service: string, options: EndpointOptions = {}): EndpointSet {
    checkValue('EtcdService.endpoints', 'service', service, aServiceName);
    const known = this.#sets.get(service);
    if (known !== undefined) return known.set;
    if (this.#state === 'closed') throw hasEnded(service);
    const { prefix } = this.#surroundings.options;
    const source = new EtcdEndpoints(this.#client, `${prefix}endpoints/${service}/`);
    const set = new EndpointSet(service, source, options, this.#surroundings.runtime.environment);
    this.#sets.set(service, { source, set });
    if (this.#state !== 'starting') source.start();
    return set;
  }

  /**
   * That this process leads, to be used as a fence; undefined: it does not. The process stands for it from the first question
   * on, or, with `@LeaderOnly(name)`, from the start. That two believe to lead at once is unlikely and not impossible: what
   * must not happen twice is written with the fence.
   */
  leadership(name: string): Leadership | undefined {
    checkValue('EtcdService.leadership', 'name', name, aName);
    return this.#surroundings.elections.term(name)?.leadership;
  }

  /** @internal */
  onApplicationBootstrap(): void {
    this.#state = 'running';
    for (const { source } of this.#sets.values()) source.start();
  }

  /** @internal */
  beforeApplicationShutdown(): void {
    this.#state = 'leaving';
    for (const changes of this.#watches) void changes.return();
  }

  /** Calls that end with the app still find their endpoints. @internal */
  onApplicationShutdown(): void {
    this.#state = 'closed';
    for (const { set } of this.#sets.values()) set.close();
  }

  get #ends(): boolean {
    return this.#state === 'leaving' || this.#state === 'closed';
  }

  get #client() {
    return this.#surroundings.client;
  }

  #full(method: string, key: string): string {
    checkValue(`EtcdService.${method}`, 'key', key, aName);
    return `${this.#surroundings.options.prefix}${key}`;
  }
}

function hasEnded(service: string): ShutdownException {
  const message = `endpoints of ${service} were first asked for when the app had ended`;
  return new ShutdownException({ policy: 'shutdown', instanceName: service, message });
}

const aText: Expectation = { expected: 'a string', accepts: (value) => typeof value === 'string' };
const aServiceName: Expectation = { expected: "a name without '/'", accepts: isServiceName };
