import { propertyOf } from '../../../errors/foreign.js';
import { oneLine } from '../one-line.js';

/** What apps call the one property of a user by which people know it. */
const NAMES = ['id', 'name', 'sub', 'username', 'email'];
const LONGEST_NAME = 64;

/**
 * Who has sent a request, as far as the guards of the app have told, and from where.
 *
 * @param request as guards know it; where only Node's own is there, nobody has looked at it yet.
 */
export function operatorOf(request: object): string {
  const address = addressOf(request);
  const name = nameOf(propertyOf(request, 'user'));
  return name === undefined ? `somebody at ${address}` : `${name} at ${address}`;
}

function nameOf(user: unknown): string | undefined {
  const named = [user, ...NAMES.map((name) => propertyOf(user, name))].find(
    (value): value is string | number => (typeof value === 'string' && value !== '') || typeof value === 'number',
  );
  return named === undefined ? undefined : oneLine(String(named), LONGEST_NAME);
}

/** What the app trusts of proxies counts: both platforms have it as `ip`. */
function addressOf(request: object): string {
  const socket = propertyOf(propertyOf(request, 'raw') ?? request, 'socket');
  const address = propertyOf(request, 'ip') ?? propertyOf(socket, 'remoteAddress');
  return typeof address === 'string' ? oneLine(address, LONGEST_NAME) : 'an unknown address';
}
