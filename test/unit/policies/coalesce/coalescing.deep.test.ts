import { expect, it } from 'vitest';
import { COALESCE_DEFAULTS } from '../../../../lib/policies/coalesce/coalesce.options.js';
import { Coalescing } from '../../../../lib/policies/coalesce/coalescing.js';
import { execute, ManualWork, newCall } from '../../../support/calls.js';
import { settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

it('ten thousand may wait for one run, and all but one may leave', async () => {
  const environment = new TestEnvironment(false);
  const coalesce = new Coalescing('Client.load', { ...COALESCE_DEFAULTS, key: () => 'a' }, environment);
  const work = new ManualWork();
  const asked = Array.from({ length: 10_000 }, () => {
    const call = newCall(environment);
    return { call, result: track(execute(coalesce, call, work.run, { endsEarly: true })) };
  });
  expect(work.begun).toBe(1);
  for (const { call } of asked.slice(1)) call.abort('gone');
  expect(work.calls[0]?.aborted).toBe(false);
  work.succeed(0, 'value');
  await settle();

  expect(asked[0]?.result.outcome).toBe('value');
  expect(asked.slice(1).every(({ result }) => result.outcome === 'gone')).toBe(true);
});
