import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DueHeap } from '../../../../lib/policies/rate-limit/due-heap.js';

describe('DueHeap', () => {
  it('is empty at first, and after it was cleared', () => {
    const heap = new DueHeap<string>();
    expect([heap.size, heap.firstAt, heap.first, heap.pop()]).toEqual([0, Infinity, undefined, undefined]);
    heap.postpone(5);

    heap.push(1, 'a');
    heap.clear();

    expect([heap.size, heap.firstAt, heap.first, heap.pop()]).toEqual([0, Infinity, undefined, undefined]);
  });

  it('always has the earliest first, as a sorted list does', () => {
    const step = fc.oneof(
      fc.record({ op: fc.constant('push' as const), at: fc.integer({ min: 0, max: 20 }) }),
      fc.record({ op: fc.constant('pop' as const) }),
      fc.record({ op: fc.constant('postpone' as const), by: fc.integer({ min: 0, max: 10 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const heap = new DueHeap<{ at: number }>();
        const list: { at: number }[] = [];
        for (const one of steps) {
          if (one.op === 'push') {
            const item = { at: one.at };
            heap.push(one.at, item);
            list.push(item);
          } else if (one.op === 'pop') {
            const item = heap.pop();
            expect(item?.at).toBe(list.length === 0 ? undefined : Math.min(...list.map(({ at }) => at)));
            if (item !== undefined) list.splice(list.indexOf(item), 1);
          } else if (heap.first !== undefined) {
            heap.first.at += one.by;
            heap.postpone(heap.first.at);
          }
          expect(heap.size).toBe(list.length);
          expect(heap.firstAt).toBe(Math.min(...list.map(({ at }) => at)));
        }
      }),
    );
  });
});
