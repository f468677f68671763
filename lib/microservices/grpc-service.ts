import type { ClientGrpc } from '@nestjs/microservices';
import type { Observable } from 'rxjs';
import type { Outgoing } from '../pipeline/outgoing.js';
import { peerOfNest } from './peer.js';
import { withinCall } from './within-call.js';

/** `Metadata` of gRPC, the part that is needed. */
interface Metadata {
  clone(): Metadata;
  get(name: string): unknown[];
  set(name: string, value: string): void;
}

interface Grpc {
  readonly Metadata: new () => Metadata;
}

interface CallOptions {
  readonly deadline?: Date | number;
}

/**
 * By how much the deadline of a call is later than the end of the guarded call, ms. The guard is the first to see that, and
 * cancels: whether it means anything for a breaker is the guard's to know, and status 4 would not tell.
 */
const GRACE_MS = 10;

/** A method of a service as Nest's client has it: the message or messages, Metadata, options. */
type Method = (...args: unknown[]) => Observable<unknown>;

/** Lets the services of a client hand on the running call. */
export function attachService(client: ClientGrpc): void {
  const getService = client.getService.bind<ClientGrpc['getService']>(client);
  client.getService = <T extends object>(name: string): T => {
    const service = getService<Record<string, Method>>(name);
    return Object.fromEntries(Object.entries(service).map(([key, method]) => [key, handingOn(method)])) as T;
  };
}

function handingOn(method: Method): Method {
  return (...args) => withinCall((call) => method(...(call === undefined ? args : argumentsOf(args, call))));
}

function argumentsOf([message, ...rest]: readonly unknown[], call: Outgoing): unknown[] {
  const isStream = typeof (message as { subscribe?: unknown } | undefined)?.subscribe === 'function';
  const [given, options] = isMetadata(rest[0]) ? rest : [undefined, rest[1] ?? rest[0]];
  const metadata = metadataOf(given as Metadata | undefined, call);
  // Nest hands no options to a call with a stream of messages.
  return isStream ? [message, metadata] : [message, metadata, withDeadline(options ?? {}, call)];
}

function isMetadata(value: unknown): value is Metadata {
  return typeof (value as { getMap?: unknown } | undefined)?.getMap === 'function';
}

function metadataOf(own: Metadata | undefined, { headers }: Outgoing): Metadata {
  const metadata = own?.clone() ?? new (peerOfNest<Grpc>('@grpc/grpc-js').Metadata)();
  for (const [name, value] of Object.entries(headers)) if (metadata.get(name).length === 0) metadata.set(name, value);
  return metadata;
}

/** The sooner of the two. */
function withDeadline(options: CallOptions, { timeLeft }: Outgoing): CallOptions {
  if (timeLeft === Infinity) return options;
  const { deadline = Infinity } = options;
  return { ...options, deadline: Math.min(Number(deadline), Date.now() + timeLeft + GRACE_MS) };
}
