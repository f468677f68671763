import { expect, it } from 'vitest';
import { oneLine, reasonOf } from '../../../../../lib/cluster/etcd/commands/cluster-command.js';

it('what an operator has written stands in one line, and in a short one', () => {
  const reason = reasonOf({
    state: 'forcedOpen',
    reason: `down\n${'x'.repeat(10_000)}`,
    author: 'ann\r\nERROR',
    until: 0,
  });

  expect(reason).toMatch(/^forced open in all processes by ann ERROR, until 1970-01-01T00:00:00Z: down x+\.\.\.$/);
  expect(reason.length).toBeLessThan(700);
  expect(oneLine('bank maintenance')).toBe('bank maintenance');
});
