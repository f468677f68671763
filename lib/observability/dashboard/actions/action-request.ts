import { isPlainObject, type Expectation } from '../../../kernel/options/check.js';
import type { ActionRequest } from '../protocol.js';

/** A body is no longer than this, bytes. */
export const MOST_BODY_BYTES = 16 * 1_024;
/** How long a command for the fleet holds where nobody says otherwise, and at most, ms. */
export const FLEET_MS = 900_000;
const LONGEST_FLEET_MS = 86_400_000;
const SHORTEST_FLEET_MS = 1_000;
const LONGEST_REASON = 200;

const UUID = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i;
const ACTIONS: readonly string[] = ['forceOpen', 'forceClose', 'reset', 'disable', 'enable'];
const STATES: readonly string[] = ['closed', 'open', 'halfOpen', 'forcedOpen', 'disabled'];

const optionalText = (most = Infinity): Expectation => ({
  expected: most === Infinity ? 'a text' : `a text of at most ${most} characters`,
  accepts: (value) => value === undefined || (typeof value === 'string' && value.length <= most),
});
const oneOfThese = (words: readonly string[]): Expectation => ({
  expected: `one of ${words.join(', ')}`,
  accepts: (value) => words.includes(value as string),
});
const aText: Expectation = {
  expected: 'a text that is not empty',
  accepts: (value) => typeof value === 'string' && value !== '',
};
const FIELDS: Readonly<Record<keyof ActionRequest, Expectation>> = {
  id: { expected: 'a UUID', accepts: (value) => typeof value === 'string' && UUID.test(value) },
  process: aText,
  instance: aText,
  key: optionalText(),
  action: oneOfThese(ACTIONS),
  seen: oneOfThese(STATES),
  reason: optionalText(LONGEST_REASON),
  scope: {
    expected: "'process' or 'fleet'",
    accepts: (value) => value === undefined || value === 'process' || value === 'fleet',
  },
  for: {
    expected: `from ${SHORTEST_FLEET_MS} to ${LONGEST_FLEET_MS} ms`,
    accepts: (value) =>
      value === undefined || (typeof value === 'number' && value >= SHORTEST_FLEET_MS && value <= LONGEST_FLEET_MS),
  },
};

/** What a client asks for, or what is wrong with it, in a few words. Fields that this version does not know are passed over. */
export function readAction(body: unknown): ActionRequest | { readonly wrong: string } {
  if (!isPlainObject(body)) return { wrong: 'expected a JSON object' };
  const read: Record<string, unknown> = {};
  for (const [field, wanted] of Object.entries(FIELDS)) {
    const value = Object.hasOwn(body, field) ? body[field] : undefined;
    if (!wanted.accepts(value)) return { wrong: `field '${field}': expected ${wanted.expected}` };
    if (value !== undefined) read[field] = value;
  }
  const request = read as unknown as ActionRequest;
  if (request.scope === 'fleet' && request.key !== undefined)
    return { wrong: 'an action for all processes speaks of a whole instance, and not of a key' };
  return request;
}

/** What is known of a request for logs, however wrong it is. */
export function glance(body: unknown): Partial<Pick<ActionRequest, 'instance' | 'action' | 'reason' | 'scope'>> {
  if (!isPlainObject(body)) return {};
  const { instance, action, reason, scope } = body;
  return {
    ...(typeof instance === 'string' ? { instance } : {}),
    ...(ACTIONS.includes(action as string) ? { action: action as ActionRequest['action'] } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(scope === 'fleet' ? { scope } : {}),
  };
}
