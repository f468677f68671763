import type { CanActivate, ExecutionContext } from '@nestjs/common';

/** Lets no page of elsewhere press the buttons: browsers say where a request comes from. */
export class SamePageGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers, method } = context.switchToHttp().getRequest<{
      readonly method: string;
      readonly headers: Readonly<Record<string, string | undefined>>;
    }>();
    const site = headers['sec-fetch-site'];
    return method === 'GET' || site === undefined || site === 'same-origin' || site === 'none';
  }
}
