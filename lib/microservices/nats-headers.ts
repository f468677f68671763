import type { Outgoing } from '../pipeline/outgoing.js';
import { peerOfNest } from './peer.js';

/** `MsgHdrs` of the client of NATS, the part that is needed. */
export interface NatsHeaders {
  keys(): Iterable<string>;
  values(name: string): Iterable<string>;
  append(name: string, value: string): void;
}

interface Nats {
  headers(): NatsHeaders;
}

let nats: Nats | undefined;

/** New headers, with those of the app as they are: it may use them for other messages too. */
export function natsHeaders(headers: Outgoing['headers'], own: NatsHeaders | undefined): NatsHeaders {
  // Nest 12, and Nest 11.
  nats ??= peerOfNest<Nats>('@nats-io/transport-node', 'nats');
  const all = nats.headers();
  const names = new Set<string>();
  for (const name of own?.keys() ?? []) {
    names.add(name.toLowerCase());
    for (const value of own?.values(name) ?? []) all.append(name, value);
  }
  for (const [name, value] of Object.entries(headers)) if (!names.has(name)) all.append(name, value);
  return all;
}
