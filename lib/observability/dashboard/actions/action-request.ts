import { isPlainObject } from '../../../kernel/options/check.js';
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

type Check = (value: unknown) => boolean;

const aText: Check = (value) => typeof value === 'string' && value !== '';
const FIELDS: Readonly<Record<keyof ActionRequest, Check>> = {
  id: (value) => typeof value === 'string' && UUID.test(value),
  process: aText,
  instance: aText,
  key: (value) => value === undefined || typeof value === 'string',
  action: (value) => ACTIONS.includes(value as string),
  seen: (value) => STATES.includes(value as string),
  reason: (value) => value === undefined || (typeof value === 'string' && value.length <= LONGEST_REASON),
  scope: (value) => value === undefined || value === 'process' || value === 'fleet',
  for: (value) =>
    value === undefined || (typeof value === 'number' && value >= SHORTEST_FLEET_MS && value <= LONGEST_FLEET_MS),
};

/** What a client asks for, or what is wrong with it, in a few words. Fields that this version does not know are passed over. */
export function readAction(body: unknown): ActionRequest | { readonly wrong: string } {
  if (!isPlainObject(body)) return { wrong: 'expected a JSON object' };
  const read: Record<string, unknown> = {};
  for (const [field, accepts] of Object.entries(FIELDS)) {
    const value = Object.hasOwn(body, field) ? body[field] : undefined;
    if (!accepts(value)) return { wrong: `field '${field}' is missing or wrong` };
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
