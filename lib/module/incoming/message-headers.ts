import { propertyOf } from '../../errors/foreign.js';

/** The headers of a message, by their lower-case names; undefined: it has none of that name. */
export type MessageHeaders = (name: string) => unknown;

const NONE: MessageHeaders = () => undefined;

/**
 * What a message brings beside its data, read from the context that Nest makes for its transport: the headers of NATS and
 * RabbitMQ, what Nest 12 calls the metadata of a packet over TCP and Redis, and the Metadata of gRPC. None where there is no
 * such thing. The names are compared as those of HTTP are, whatever their case.
 */
export function headersOf(context: unknown): MessageHeaders {
  const headers =
    asked(context, 'getHeaders') ??
    asked(context, 'getMetadata') ??
    asked(context, 'getMap') ??
    propertyOf(propertyOf(asked(context, 'getMessage'), 'properties'), 'headers');
  if (typeof headers !== 'object' || headers === null) return NONE;
  // The headers of NATS are a class of their own.
  const keys = asked(headers, 'keys');
  if (keys === undefined) return (name) => named(Object.keys(headers), name, (key) => propertyOf(headers, key));
  return (name) => named(keys as Iterable<unknown>, name, (key) => asked(headers, 'get', key));
}

function named(keys: Iterable<unknown>, name: string, read: (key: string) => unknown): unknown {
  for (const key of keys) if (typeof key === 'string' && key.toLowerCase() === name) return read(key);
  return undefined;
}

/** What a method of something foreign gives; undefined where it has none. */
function asked(target: unknown, method: string, ...args: unknown[]): unknown {
  const found = propertyOf(target, method);
  return typeof found === 'function' ? (Reflect.apply(found, target, args) as unknown) : undefined;
}
