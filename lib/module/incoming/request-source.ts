import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionContext } from '@nestjs/common';
import { instanceOf, propertyOf } from '../../errors/foreign.js';
import { parseRequestTimeout, REQUEST_TIMEOUT_HEADER, RETRY_ATTEMPT_HEADER } from '../../kernel/request-timeout.js';
import { headersOf } from './message-headers.js';
import { isEmitter, watch } from './watch.js';

/** What there is to know of a request, message or event from outside. */
export interface RequestSource {
  /** What stands for it: handlers for the same one share it; undefined: each handler has one of its own. */
  readonly key: object | undefined;
  /** The time that its caller gives, ms; undefined: it says nothing of it. */
  readonly timeLeft: number | undefined;
  /** When its caller waits no more, epoch ms; undefined: it says nothing of it. */
  readonly due?: number | undefined;
  /** Whether its caller makes it again where it fails. */
  readonly isRetried: boolean;
  /** Whether repeating it changes nothing, so that it can be cut as well. */
  readonly isSafe: boolean;
  /** Tells when it is answered, and when its client has gone before. @returns a function that lets go. */
  watch(onEnd: () => void, onGone: () => void): () => void;
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
const NOBODY_TO_WATCH = (): (() => void) => () => undefined;
/** Of what is no HTTP request. */
const NOTHING_KNOWN = { key: undefined, timeLeft: undefined, isRetried: false, isSafe: false } as const;
/** `readyState` of a WebSocket in use; those that close and are closed have a higher one. */
const OPEN = 1;

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
  if (raw?.headers === undefined) return undefined;
  const { headers, method = '', socket } = raw;
  const known = {
    timeLeft: parseRequestTimeout(headers[REQUEST_TIMEOUT_HEADER]),
    isRetried: headers[RETRY_ATTEMPT_HEADER] !== undefined,
    isSafe: SAFE_METHODS.has(method),
  };
  // The context that an app makes for its resolvers may have no response.
  if (!isEmitter(answer)) return { ...known, key: undefined, watch: watchEnd(socket, 'close', socket?.destroyed) };
  return {
    ...known,
    key: raw,
    watch: (onEnd, onGone) => {
      const closed = (): void => (answer.writableFinished ? onEnd() : onGone());
      if (answer.closed || answer.destroyed) closed();
      else answer.once('close', closed);
      return () => void answer.off('close', closed);
    },
  };
}

/** A client of `ws` closes, one of socket.io disconnects; there `close` is the name of a message like any other. */
function ofSocket(client: unknown): RequestSource {
  const { readyState, connected } = (client ?? {}) as { readyState?: unknown; connected?: unknown };
  const isNative = typeof readyState === 'number';
  const isGone = isNative ? readyState > OPEN : connected === false;
  return { ...NOTHING_KNOWN, watch: watchEnd(client, isNative ? 'close' : 'disconnect', isGone) };
}

/** gRPC has a deadline and a call that can be cancelled, and TCP a socket; the others have headers alone. */
function ofMessage(context: ExecutionContext): RequestSource {
  const rpc = context.switchToRpc().getContext<unknown>();
  const call = grpcCallIn(context);
  const headers = headersOf(call === undefined ? rpc : propertyOf(call, 'metadata'));
  return {
    ...NOTHING_KNOWN,
    timeLeft: parseRequestTimeout(headers(REQUEST_TIMEOUT_HEADER)),
    due: deadlineOf(call),
    isRetried: headers(RETRY_ATTEMPT_HEADER) !== undefined,
    watch: call === undefined ? watchSocket(rpc) : watchEnd(call, 'cancelled', call.cancelled),
  };
}

interface GrpcCall {
  readonly cancelled?: unknown;
  getDeadline(): unknown;
}

/** A handler gets the message, its Metadata and the call; under `@GrpcStreamCall()` the call alone. */
function grpcCallIn(context: ExecutionContext): GrpcCall | undefined {
  return [2, 0]
    .map((index) => context.getArgByIndex<unknown>(index))
    .find((one): one is GrpcCall => typeof propertyOf(one, 'getDeadline') === 'function');
}

function deadlineOf(call: GrpcCall | undefined): number | undefined {
  const deadline = call?.getDeadline();
  const at = instanceOf(deadline, Date) ? deadline.getTime() : deadline;
  return typeof at === 'number' && Number.isFinite(at) ? at : undefined;
}

/** The connection over which a TCP message came: all that is known of its sender. */
function watchSocket(context: unknown): RequestSource['watch'] {
  const getSocket = propertyOf(context, 'getSocketRef');
  if (typeof getSocket !== 'function') return NOBODY_TO_WATCH;
  const socket = propertyOf(Reflect.apply(getSocket, context, []), 'netSocket');
  return watchEnd(socket, 'close', propertyOf(socket, 'destroyed'));
}

function watchEnd(emitter: unknown, event: string, isGone: unknown): RequestSource['watch'] {
  if (!isEmitter(emitter)) return NOBODY_TO_WATCH;
  return (_onEnd, onGone) => {
    if (isGone !== true) return watch(emitter, event, onGone);
    onGone();
    return () => undefined;
  };
}
