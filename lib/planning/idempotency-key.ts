import { randomUUID } from 'node:crypto';
import type { Idempotency } from '../guarded/idempotency.js';
import { ask, WRONG, type CallbackReporter, type Wanted } from '../kernel/ask.js';

const aText: Wanted<string | undefined> = {
  expected: 'a non-empty string',
  read: (answer) => (typeof answer === 'string' && answer !== '' ? answer : WRONG),
};

/** What gives the key of a call; one that the app's function cannot give is made up. */
export function idempotencyKeyOf(
  place: string,
  { key }: Idempotency,
  reporter: CallbackReporter,
): (args: readonly unknown[]) => string {
  if (key === undefined) return () => randomUUID();
  const given = key as (...args: readonly unknown[]) => unknown;
  return (args) => ask(reporter, `${place}, @Idempotent key`, aText, undefined, () => given(...args)) ?? randomUUID();
}
