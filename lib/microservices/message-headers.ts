import {
  ClientKafka,
  ClientMqtt,
  ClientNats,
  ClientRMQ,
  type ClientProxy,
  type OutgoingEvent,
  type OutgoingRequest,
  type ProducerSerializer,
} from '@nestjs/microservices';
import { instanceOf, isPromise } from '../errors/foreign.js';
import { IDEMPOTENCY_HEADER, outgoing, type Outgoing } from '../pipeline/outgoing.js';
import { natsHeaders, type NatsHeaders } from './nats-headers.js';

/** A packet as a client's serializer has made it of the pattern and the data. */
type Written = Record<string, unknown>;

/** Puts headers into a packet of one transport. */
type Carry = (written: Written, call: Outgoing) => Written;

/** `serializer` is protected: it is what the app may replace by the option of that name, and all that is sent goes through it. */
interface Writing {
  /** A client of the app's own transport may have none. */
  serializer: (ProducerSerializer & { init?(): unknown }) | undefined;
}

/** Lets all that a client sends bring what the running call hands on. */
export function attachHeaders(client: ClientProxy): void {
  const carry = carryOf(client);
  if (carry === undefined) return;
  const writing = client as unknown as Writing;
  const { serializer } = writing;
  if (serializer === undefined) return;
  const add = (packet: unknown, written: unknown): unknown => {
    const call = outgoing();
    if (call === undefined || typeof written !== 'object' || written === null) return written;
    return carry(written as Written, isEvent(packet) ? ofEvent(call) : call);
  };
  writing.serializer = {
    ...(serializer.init === undefined ? {} : { init: () => serializer.init?.() }),
    serialize: (packet: OutgoingEvent | OutgoingRequest, options?: Record<string, unknown>) => {
      const written: unknown = serializer.serialize(packet, options);
      return isPromise(written) ? written.then((one) => add(packet, one)) : add(packet, written);
    },
  };
}

function carryOf(client: ClientProxy): Carry | undefined {
  if (instanceOf(client, ClientNats)) return inNats;
  if (instanceOf(client, ClientRMQ)) return inRabbit;
  return instanceOf(client, ClientKafka) || instanceOf(client, ClientMqtt) ? undefined : inMetadata;
}

/** A message that is to be answered has an id. */
function isEvent(packet: unknown): boolean {
  return (packet as { id?: unknown } | undefined)?.id === undefined;
}

/** Nobody waits for what becomes of an event, and nobody sends it again where its handler fails. */
function ofEvent({ headers, ...call }: Outgoing): Outgoing {
  const key = headers[IDEMPOTENCY_HEADER];
  return { ...call, timeLeft: Infinity, headers: key === undefined ? {} : { [IDEMPOTENCY_HEADER]: key } };
}

/** As TCP and Redis have it since Nest 12, and what an app has made itself. */
const inMetadata: Carry = (written, { headers }) => ({
  ...written,
  metadata: withOwn(headers, written['metadata'] as Written | undefined),
});

/** What has waited in the queue for longer than its caller does is not delivered. */
const inRabbit: Carry = (written, { headers, timeLeft }) => {
  const own = written['options'] as (Written & { headers?: Written }) | undefined;
  const expiration = timeLeft === Infinity ? {} : { expiration: String(Math.max(0, Math.ceil(timeLeft))) };
  return { ...written, options: { ...expiration, ...own, headers: withOwn(headers, own?.headers) } };
};

const inNats: Carry = (written, { headers }) => ({
  ...written,
  headers: natsHeaders(headers, written['headers'] as NatsHeaders | undefined),
});

/** What the app has set stays, whatever the case of its names. */
function withOwn(headers: Outgoing['headers'], own: Written = {}): Written {
  const names = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  return { ...Object.fromEntries(Object.entries(headers).filter(([name]) => !names.has(name))), ...own };
}
