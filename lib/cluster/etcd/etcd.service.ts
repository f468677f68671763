import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { aName, checkValue, type Expectation } from '../../kernel/options/check.js';
import type { EtcdEntry } from './client/etcd-entry.js';
import { ETCD_SURROUNDINGS } from './etcd.tokens.js';
import type { EtcdSurroundings } from './etcd-part.js';
import type { EtcdChange } from './store/etcd-change.js';
import { WatchedChanges } from './store/watched-changes.js';

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
export class EtcdService implements BeforeApplicationShutdown {
  readonly #surroundings: EtcdSurroundings;
  readonly #watches = new Set<WatchedChanges>();

  constructor(@Inject(ETCD_SURROUNDINGS) surroundings: unknown) {
    this.#surroundings = surroundings as EtcdSurroundings;
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
    return changes;
  }

  /** @internal */
  beforeApplicationShutdown(): void {
    for (const changes of this.#watches) void changes.return();
  }

  get #client() {
    return this.#surroundings.client;
  }

  #full(method: string, key: string): string {
    checkValue(`EtcdService.${method}`, 'key', key, aName);
    return `${this.#surroundings.options.prefix}${key}`;
  }
}

const aText: Expectation = { expected: 'a string', accepts: (value) => typeof value === 'string' };
