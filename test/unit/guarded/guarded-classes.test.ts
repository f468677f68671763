import { Timeout } from 'nestjs-bulwark';
import { expect, it } from 'vitest';
import { guardedMethodOf, idempotencyOf, knownOf, signalIndexOf } from '../../../lib/guarded/guarded-classes.js';

class Rates {
  @Timeout(100)
  async load(): Promise<string> {
    return 'loaded';
  }
}

it('are those that a decorator stands in, and not those that somebody has looked at', async () => {
  class Plain {
    load = Rates.prototype.load;
    size(): number {
      return 0;
    }
  }

  expect(guardedMethodOf(Plain, 'size')).toBeUndefined();
  expect(guardedMethodOf(Plain, 'toString')).toBeUndefined();
  expect(idempotencyOf(Plain, 'size')).toBeUndefined();
  expect(await new Plain().load()).toBe('loaded');
  expect([knownOf(Plain), knownOf(Object as never)]).toEqual([undefined, undefined]);

  const method = guardedMethodOf(Rates, 'load');
  expect(method?.methodName).toBe('load');
  expect(method && signalIndexOf(method)).toBe(-1);
});
