import type { ExecutionContext } from '@nestjs/common';

/**
 * Whether a request may be handled once more: an HTTP method that means the same when repeated, while nothing of the
 * answer has been sent; of GraphQL the queries. Messages have no verb: for them the interceptor's presence decides.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-idempotent-methods
 */
export function repeatable(context: ExecutionContext, methods: readonly string[]): boolean {
  const type: string = context.getType();
  if (type === 'graphql') return operationOf(context) === 'query';
  if (type !== 'http') return true;
  const { method } = context.switchToHttp().getRequest<{ method?: string }>();
  return methods.includes(method ?? '') && !hasBegun(context.switchToHttp().getResponse());
}

interface ResponseLike {
  headersSent?: boolean;
  sent?: boolean;
  raw?: { headersSent?: boolean };
}

/** Express tells by `headersSent`, Fastify's reply by `sent` and by the raw response. */
function hasBegun({ headersSent, sent, raw }: ResponseLike): boolean {
  return headersSent === true || sent === true || raw?.headersSent === true;
}

function operationOf(context: ExecutionContext): string | undefined {
  const info = context.getArgByIndex<{ operation?: { operation?: string } } | undefined>(3);
  return info?.operation?.operation;
}
