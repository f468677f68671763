import type { ExecutionContext } from '@nestjs/common';
import { propertyOf } from '../../errors/foreign.js';
import { idempotencyOf } from '../../guarded/guarded-classes.js';
import { handlerNameOf } from './handler-name.js';

/**
 * Whether a request may be handled once more: an HTTP method that means the same when repeated, while nothing of the
 * answer has been sent; of GraphQL the queries; and what is `@Idempotent()`, whatever the request. Messages have no verb:
 * for them the interceptor's presence decides.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-idempotent-methods
 */
export function repeatable(context: ExecutionContext, methods: readonly string[]): boolean {
  const type: string = context.getType();
  if (type === 'graphql') return operationOf(context) === 'query' || isIdempotent(context);
  if (type !== 'http') return true;
  const method = propertyOf(context.switchToHttp().getRequest(), 'method');
  return (
    (methods.includes(method as string) || isIdempotent(context)) && !hasBegun(context.switchToHttp().getResponse())
  );
}

function isIdempotent(context: ExecutionContext): boolean {
  const type = context.getClass();
  return idempotencyOf(type, handlerNameOf(type, context.getHandler())) !== undefined;
}

/** Express tells by `headersSent`, Fastify's reply by `sent` and by the raw response. */
function hasBegun(response: unknown): boolean {
  const raw = propertyOf(response, 'raw');
  return [propertyOf(response, 'headersSent'), propertyOf(response, 'sent'), propertyOf(raw, 'headersSent')].includes(
    true,
  );
}

function operationOf(context: ExecutionContext): unknown {
  return propertyOf(propertyOf(context.getArgByIndex(3), 'operation'), 'operation');
}
