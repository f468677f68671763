import { describe, expect, it } from 'vitest';
import { rejected, rejection } from '../../../lib/kernel/rejection.js';

describe('rejection', () => {
  it('makes a reaction reject with the error itself, whatever it is', async () => {
    for (const error of [new Error('x'), undefined, null, 0, 'text', Promise.resolve(1)]) {
      const seen: unknown[] = [];
      await Promise.resolve()
        .then(() => rejection(error))
        .catch((caught: unknown) => seen.push(caught));
      expect(seen).toHaveLength(1);
      expect(seen[0]).toBe(error);
    }
  });

  it('leaves a rejection that nobody handles to the process', async () => {
    const unhandled: unknown[] = [];
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', (reason) => unhandled.push(reason));
    try {
      void rejected('floating');
      void Promise.resolve().then(() => rejection('floating too'));
      rejected('handled').catch(() => {});
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled.sort()).toEqual(['floating', 'floating too']);
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of others) process.on('unhandledRejection', listener);
    }
  });
});
