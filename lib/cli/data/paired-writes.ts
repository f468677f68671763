import type { DataWrite } from '../../data/port/replicable-data.service.js';
import { compareUtf8 } from '../../data/port/utf8-order.js';

/** The last writes of one key in two stores; at least one of them has one. */
export interface WritePair {
  readonly key: string;
  readonly left: DataWrite | undefined;
  readonly right: DataWrite | undefined;
}

/** Goes through two stores at once, key by key in byte order, with one write of each in memory. */
export async function* pairedWrites(
  left: AsyncIterable<DataWrite>,
  right: AsyncIterable<DataWrite>,
): AsyncGenerator<WritePair, void, undefined> {
  const [lefts, rights] = [left[Symbol.asyncIterator](), right[Symbol.asyncIterator]()];
  try {
    let [l, r] = [await next(lefts), await next(rights)];
    while (l !== undefined || r !== undefined) {
      const order = l === undefined ? 1 : r === undefined ? -1 : compareUtf8(l.key, r.key);
      if (order < 0) {
        yield { key: (l as DataWrite).key, left: l, right: undefined };
        l = await next(lefts);
      } else if (order > 0) {
        yield { key: (r as DataWrite).key, left: undefined, right: r };
        r = await next(rights);
      } else {
        yield { key: (l as DataWrite).key, left: l, right: r };
        [l, r] = [await next(lefts), await next(rights)];
      }
    }
  } finally {
    await lefts.return?.();
    await rights.return?.();
  }
}

async function next(writes: AsyncIterator<DataWrite, unknown>): Promise<DataWrite | undefined> {
  const step = await writes.next();
  return step.done === true ? undefined : step.value;
}
