import { SpanStatusCode, type Span } from '@opentelemetry/api';
import { constructorOf, propertyOf, stackOf } from '../../errors/foreign.js';
import { maskCredentials } from '../../errors/mask-credentials.js';
import { describeError, textOf } from '../../kernel/error-text.js';

/** Codes of Node, of drivers and of ours are few: `ECONNREFUSED`, `CIRCUIT_OPEN`. */
const CODE = /^[A-Z][A-Z\d_]{2,49}$/;
const CLASS = /^[\w$]{1,100}$/;

/** What kind of error it is, of which there are few: its code, or its class. */
export function errorTypeOf(error: unknown): string {
  const code = propertyOf(error, 'code');
  if (typeof code === 'string' && CODE.test(code)) return code;
  const name = propertyOf(constructorOf(error), 'name');
  if (typeof name === 'string' && CLASS.test(name)) return name;
  return typeof error === 'object' || typeof error === 'function' ? '_OTHER' : typeof error;
}

/** Says that a span has failed; a result may be a failure, too, and then there is no error. */
export function failSpan(span: Span, error: unknown): void {
  const message = error === undefined ? undefined : maskCredentials(describeError(error));
  span.setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
}

/** Keeps the error itself with the span, without the credentials in it. */
export function recordError(span: Span, error: unknown, at: number): void {
  const stack = stackOf(error);
  span.recordException(
    {
      name: errorTypeOf(error),
      message: maskCredentials(textOf(error)),
      ...(stack !== undefined && { stack: maskCredentials(stack) }),
    },
    at,
  );
}
