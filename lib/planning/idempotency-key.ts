import { randomUUID } from 'node:crypto';
import type { Idempotency } from '../guarded/idempotency.js';
import { ask, WRONG, type CallbackReporter, type Wanted } from '../kernel/ask.js';

/** It is the value of a header: anything else would make the request fail, or be split in two. */
const IN_A_HEADER = /^[!-~](?:[ -~]{0,253}[!-~])?$/;

const aHeader: Wanted<string | undefined> = {
  expected: 'a string of 1 to 255 printable ASCII characters, with no space at its ends',
  read: (answer) => (typeof answer === 'string' && IN_A_HEADER.test(answer) ? answer : WRONG),
};

/** What gives the key of a call; one that the app's function cannot give is made up. */
export function idempotencyKeyOf(
  place: string,
  { key }: Idempotency,
  reporter: CallbackReporter,
): (args: readonly unknown[]) => string {
  if (key === undefined) return () => randomUUID();
  const given = key as (...args: readonly unknown[]) => unknown;
  return (args) => ask(reporter, `${place}, @Idempotent key`, aHeader, undefined, () => given(...args)) ?? randomUUID();
}
