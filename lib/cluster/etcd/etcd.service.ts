import { Inject, Injectable } from '@nestjs/common';
import { ETCD_SURROUNDINGS } from './etcd.tokens.js';
import type { EtcdSurroundings } from './etcd-part.js';

/**
 * The cluster of etcd that the app's processes share, as a plain store of texts. Keys are those of the app: the prefix of
 * the options goes before them, and is not seen here.
 *
 * @example
 * await etcd.put('hello', 'world');
 * (await etcd.get('hello'))?.value; // 'world'
 *
 * @publicApi
 */
@Injectable()
export class EtcdService {
  readonly #surroundings: EtcdSurroundings;

  constructor(@Inject(ETCD_SURROUNDINGS) surroundings: unknown) {
    this.#surroundings = surroundings as EtcdSurroundings;
  }

  /** @internal */
  get surroundings(): EtcdSurroundings {
    return this.#surroundings;
  }
}
