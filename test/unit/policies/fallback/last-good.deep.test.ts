import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { CallInfo } from '../../../../lib/kernel/call-info.js';
import { LastGood } from '../../../../lib/policies/fallback/last-good.js';
import { LastGoodMemory, MOST_ANSWERS } from '../../../../lib/policies/fallback/last-good.memory.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const callOf = (key: string): CallInfo => ({ args: [key] }) as unknown as CallInfo;

it('keeps neither a million keys nor their answers', () => {
  const options = { key: (key: string) => key, maxAge: 60_000 };
  const lastGood = new LastGood('Rates.current', options, new TestEnvironment(false));
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const answer = 'x'.repeat(100);
  gc();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 1_000_000; i++) lastGood.gave(callOf(`key-${i}`), { answer: `${answer}${i}` });
  gc();

  // 10,000 answers of about 500 bytes each, with key, time and place in the map.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(16 * 2 ** 20);
  expect(lastGood.find(callOf('key-999999'))).toMatchObject({ value: { answer: `${answer}999999` } });
});

it('keeps a million keys inside its bound, those that were used last', () => {
  const memory = new LastGoodMemory();
  memory.put('often', { value: 'often', at: 0 });
  for (let i = 0; i < 1_000_000; i++) {
    memory.put(`key-${i}`, { value: i, at: 0 });
    if (i % 1_000 === 0) memory.get('often');
  }

  expect(memory.size).toBe(MOST_ANSWERS);
  expect(memory.get('often')?.value).toBe('often');
  expect(memory.get('key-999999')?.value).toBe(999_999);
  expect(memory.get('key-0')).toBeUndefined();
});
