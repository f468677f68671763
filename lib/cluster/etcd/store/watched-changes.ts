import type { EtcdClient } from '../client/etcd-client.js';
import { KeyWatch, type KeyListener } from '../client/key-watch.js';
import type { EtcdChange } from './etcd-change.js';

type Step = IteratorResult<EtcdChange, undefined>;

const DONE: Step = { done: true, value: undefined };

/**
 * The changes under a prefix for one consumer, at its own pace: first what is there, then what happens. Of a key that
 * changes faster than it is read only the newest state is kept, so that what waits is never more than one change for each
 * key that is there or that the consumer believes to be there.
 */
export class WatchedChanges implements AsyncIterableIterator<EtcdChange, undefined> {
  readonly #waiting = new Map<string, EtcdChange>();
  /** The keys of which the consumer was told last that they are there. */
  readonly #told = new Set<string>();
  #wanted: ((step: Step) => void)[] = [];
  readonly #watch: KeyWatch;
  #ended = false;

  /**
   * @param root what stands before every key, and is not shown.
   * @param ended told once, when it has ended.
   */
  constructor(
    client: EtcdClient,
    root: string,
    prefix: string,
    private readonly ended: (changes: WatchedChanges) => void,
  ) {
    const listener: KeyListener = {
      put: ({ key, value, modRevision }) =>
        this.#hear({ type: 'put', key: key.slice(root.length), value, revision: modRevision }),
      deleted: (key, _before, revision) =>
        this.#hear({ type: 'delete', key: key.slice(root.length), value: undefined, revision }),
    };
    this.#watch = new KeyWatch(client, `${root}${prefix}`, listener, { forItself: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    if (this.#ended) return Promise.resolve(DONE);
    this.#watch.start();
    const [first] = this.#waiting.values();
    if (first === undefined) return new Promise((resolve) => this.#wanted.push(resolve));
    this.#waiting.delete(first.key);
    return Promise.resolve(this.#given(first));
  }

  /** Ends it at once, also where somebody waits for the next change. */
  return(): Promise<Step> {
    if (!this.#ended) {
      this.#ended = true;
      this.#waiting.clear();
      for (const resolve of this.#wanted) resolve(DONE);
      this.#wanted = [];
      this.ended(this);
    }
    // Not waited for: a request may be under way.
    void this.#watch.close();
    return Promise.resolve(DONE);
  }

  #hear(change: EtcdChange): void {
    if (this.#ended) return;
    const resolve = this.#wanted.shift();
    if (resolve !== undefined) return resolve(this.#given(change));
    // A key comes to its turn by its first change that was not read, so that one that changes all the time starves no other.
    this.#waiting.set(change.key, change);
    if (change.type === 'delete' && !this.#told.has(change.key)) this.#waiting.delete(change.key);
  }

  #given(change: EtcdChange): Step {
    if (change.type === 'put') this.#told.add(change.key);
    else this.#told.delete(change.key);
    return { done: false, value: change };
  }
}
