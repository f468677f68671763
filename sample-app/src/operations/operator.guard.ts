import { createHash, timingSafeEqual } from 'node:crypto';
import type { CanActivate, ExecutionContext } from '@nestjs/common';

/** What is read of a request. */
interface Asking {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

const LOOPBACK = /^(?:::1|(?:::ffff:)?127\.\d+\.\d+\.\d+)$/;
/** A page of elsewhere whose name was made to lead to this machine has another host. */
const LOCAL_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;
/** What a proxy on this machine adds: then whoever asks may be anywhere. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip'];

/**
 * Who may steer the shop's breakers from its dashboard: with OPERATOR_TOKEN whoever sends it as a bearer token; without it
 * whoever sits at this machine. A shop would ask who it is, since each action is logged.
 */
export class OperatorGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers, socket } = context.switchToHttp().getRequest<Asking>();
    const token = process.env['OPERATOR_TOKEN'];
    if (token !== undefined && token !== '') return isSame(String(headers['authorization']), `Bearer ${token}`);
    return (
      LOOPBACK.test(socket.remoteAddress ?? '') &&
      LOCAL_HOST.test(String(headers['host'])) &&
      FORWARDED.every((name) => headers[name] === undefined)
    );
  }
}

/** In the same time wherever they differ. */
function isSame(given: string, expected: string): boolean {
  const [a, b] = [given, expected].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(a, b);
}
