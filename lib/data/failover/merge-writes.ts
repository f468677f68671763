import type { DataWrite } from '../port/replicable-data.service.js';
import { compareUtf8 } from '../port/utf8-order.js';

/**
 * Merges the writes of a store with those that wait for it.
 *
 * @param stored in byte order of the key.
 * @param queuedKeys in byte order; they replace what is stored.
 * @param queued the queued write of a key; undefined where there is nothing to show.
 */
export async function* mergeWrites(
  stored: AsyncIterable<DataWrite>,
  queuedKeys: readonly string[],
  queued: (key: string) => Promise<DataWrite | undefined>,
): AsyncGenerator<DataWrite, void, undefined> {
  let next = 0;
  /** The queued writes up to `key`, that of `key` itself included. */
  async function* upTo(key: string | undefined): AsyncGenerator<DataWrite, void, undefined> {
    for (let first = queuedKeys[next]; first !== undefined; first = queuedKeys[next]) {
      if (key !== undefined && compareUtf8(first, key) > 0) return;
      next++;
      const write = await queued(first);
      if (write !== undefined) yield write;
    }
  }
  for await (const write of stored) {
    yield* upTo(write.key);
    if (queuedKeys[next - 1] !== write.key) yield write;
  }
  yield* upTo(undefined);
}
