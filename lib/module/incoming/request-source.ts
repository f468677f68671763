import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionContext } from '@nestjs/common';
import { instanceOf, propertyOf } from '../../errors/foreign.js';
import { parseRequestTimeout, REQUEST_TIMEOUT_HEADER, RETRY_ATTEMPT_HEADER } from '../../kernel/request-timeout.js';

/** What there is to know of a request, message or event from outside. */
export interface RequestSource {
  /** What stands for it: handlers for the same one share it; undefined: each handler has one of its own. */
  readonly key: object | undefined;
  /** The time that its caller gives, ms, or when it is over, epoch ms; undefined: no limit. */
  readonly timeLeft: { readonly ms: number } | { readonly at: number } | undefined;
  /** Whether its caller makes it again where it fails. */
  readonly isRetried: boolean;
  /** Whether repeating it changes nothing, so that it can be cut as well. */
  readonly isSafe: boolean;
  /** Tells when it is answered, and when its client has gone before. @returns a function that lets go. */
  watch(onEnd: () => void, onGone: () => void): () => void;
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
const NOBODY_TO_WATCH = (): (() => void) => () => undefined;

/** What a handler is called for; undefined for what nobody outside waits for. */
export function sourceOf(context: ExecutionContext): RequestSource | undefined {
  switch (context.getType<string>()) {
    case 'http':
      return ofHttp(context.switchToHttp().getRequest(), context.switchToHttp().getResponse());
    case 'graphql': {
      const { req, res } = (context.getArgByIndex<unknown>(2) ?? {}) as { req?: unknown; res?: unknown };
      const request = req ?? propertyOf(propertyOf(context.getArgByIndex(2), 'reply'), 'request');
      return ofHttp(request, res ?? propertyOf(request, 'res') ?? propertyOf(context.getArgByIndex(2), 'reply'));
    }
    case 'ws':
      return ofSocket(context.switchToWs().getClient());
    case 'rpc':
      return ofMessage(context);
    default:
      return undefined;
  }
}

function ofHttp(request: unknown, response: unknown): RequestSource | undefined {
  // Fastify wraps both.
  const raw = (propertyOf(request, 'raw') ?? request) as IncomingMessage | undefined;
  const answer = (propertyOf(response, 'raw') ?? response) as ServerResponse | undefined;
  if (raw?.headers === undefined || typeof answer?.once !== 'function') return undefined;
  const { headers, method = '' } = raw;
  return {
    key: raw,
    timeLeft: timeIn(headers[REQUEST_TIMEOUT_HEADER]),
    isRetried: headers[RETRY_ATTEMPT_HEADER] !== undefined,
    isSafe: SAFE_METHODS.has(method),
    watch: (onEnd, onGone) => {
      const closed = (): void => (answer.writableFinished ? onEnd() : onGone());
      if (answer.closed || answer.destroyed) closed();
      else answer.once('close', closed);
      return () => void answer.off('close', closed);
    },
  };
}

/** A client of `ws` closes, one of socket.io disconnects. */
function ofSocket(client: unknown): RequestSource | undefined {
  const socket = client as { on?: unknown; off?: unknown } | undefined;
  const isEmitter = typeof propertyOf(socket, 'on') === 'function' && typeof propertyOf(socket, 'off') === 'function';
  return {
    key: undefined,
    timeLeft: undefined,
    isRetried: false,
    isSafe: false,
    watch: isEmitter ? watchEvents(client as Emitter, ['close', 'disconnect']) : NOBODY_TO_WATCH,
  };
}

interface Emitter {
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

function watchEvents(emitter: Emitter, events: readonly string[]): RequestSource['watch'] {
  return (_onEnd, onGone) => {
    for (const event of events) emitter.on(event, onGone);
    return () => {
      for (const event of events) emitter.off(event, onGone);
    };
  };
}

/** gRPC has a deadline and a call that can be cancelled; NATS and RabbitMQ have headers. */
function ofMessage(context: ExecutionContext): RequestSource {
  const call = context.getArgByIndex<unknown>(2);
  const getDeadline = propertyOf(call, 'getDeadline');
  const isGrpc = typeof getDeadline === 'function';
  const headers = isGrpc ? undefined : headersOf(context.switchToRpc().getContext());
  const metadata = isGrpc ? propertyOf(call, 'metadata') : undefined;
  return {
    key: isGrpc ? (call as object) : undefined,
    timeLeft: isGrpc ? deadlineOf(call as { getDeadline(): unknown }) : timeIn(headers?.(REQUEST_TIMEOUT_HEADER)),
    isRetried: (isGrpc ? grpcHeader(metadata, RETRY_ATTEMPT_HEADER) : headers?.(RETRY_ATTEMPT_HEADER)) !== undefined,
    isSafe: false,
    watch: isGrpc ? watchEvents(call as Emitter, ['cancelled']) : NOBODY_TO_WATCH,
  };
}

function deadlineOf(call: { getDeadline(): unknown }): RequestSource['timeLeft'] {
  const deadline = call.getDeadline();
  const at = instanceOf(deadline, Date) ? deadline.getTime() : deadline;
  return typeof at === 'number' && Number.isFinite(at) ? { at } : undefined;
}

function grpcHeader(metadata: unknown, name: string): unknown {
  const get = propertyOf(metadata, 'get');
  if (typeof get !== 'function') return undefined;
  return (Reflect.apply(get, metadata, [name]) as unknown[])[0];
}

function headersOf(context: unknown): ((name: string) => unknown) | undefined {
  const getHeaders = propertyOf(context, 'getHeaders');
  if (typeof getHeaders === 'function') {
    const headers: unknown = Reflect.apply(getHeaders, context, []);
    const get = propertyOf(headers, 'get');
    return typeof get === 'function' ? (name) => Reflect.apply(get, headers, [name]) as unknown : undefined;
  }
  const getMessage = propertyOf(context, 'getMessage');
  if (typeof getMessage !== 'function') return undefined;
  const headers = propertyOf(propertyOf(Reflect.apply(getMessage, context, []), 'properties'), 'headers');
  return headers === undefined ? undefined : (name) => propertyOf(headers, name);
}

function timeIn(value: unknown): RequestSource['timeLeft'] {
  const ms = parseRequestTimeout(value);
  return ms === undefined ? undefined : { ms };
}
