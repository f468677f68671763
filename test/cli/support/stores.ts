import { MAX_VALUE_BYTES, type DataService } from 'nestjs-bulwark/data';
import { onTestFinished } from 'vitest';

/** Keys and values at the edges of what a store takes. */
export const ODD_ENTRIES: readonly (readonly [string, unknown])[] = [
  ['a', 1],
  ['A', 'upper case'],
  ['é', 'é'],
  ['e\u0301', 'e with an accent of its own'],
  [' ', 'a space'],
  ['trailing ', { spaces: '  ' }],
  ['100%_sure\\', 'nothing for LIKE'],
  ['quote\'"`;--', null],
  ['line\nfeed\ttab', []],
  ['\u0001', { control: true }],
  ['\uffff', 'the last of the plane'],
  ['\u{1f600}', '\u{1f600}\u0000'],
  ['k'.repeat(512), 'the longest key'],
  ['__proto__', { constructor: 1 }],
  ['large', 'x'.repeat(MAX_VALUE_BYTES - 2)],
  ['numbers', [0, -0.1, 1e300, Number.MAX_SAFE_INTEGER]],
];

/** Fills a store: odd entries, many plain ones, one written twice and some deleted again. */
export async function fill(store: DataService, plain: number): Promise<void> {
  await Promise.all(ODD_ENTRIES.map(([key, value]) => store.put(key, value)));
  await fillPlain(store, plain);
  await store.put('a', 'written again');
  await Promise.all(['orders/0', 'orders/1', 'never-there'].map((key) => store.delete(key)));
}

/** Puts `orders/0` and so on. */
export async function fillPlain(store: DataService, count: number): Promise<void> {
  for (let begin = 0; begin < count; begin += 1_000) {
    const numbers = Array.from({ length: Math.min(1_000, count - begin) }, (_, i) => begin + i);
    await Promise.all(numbers.map((n) => store.put(`orders/${n}`, { n, note: 'x'.repeat(100) })));
  }
}

/** Everything in a store. */
export async function contentOf(store: DataService): Promise<Map<string, unknown>> {
  const all = new Map<string, unknown>();
  for await (const [key, value] of store.entries()) all.set(key, value);
  return all;
}

/** Opens a store, works with it and closes it. */
export async function using<S extends DataService, T>(opening: Promise<S>, work: (store: S) => Promise<T>): Promise<T> {
  const store = await opening;
  onTestFinished(() => store.close());
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
