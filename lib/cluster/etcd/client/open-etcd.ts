import { Etcd3, type IOptions } from 'etcd3';
import type { EtcdConnection } from './etcd-connection.js';

/** etcd closes connections on which pings come more often than each 5 s. */
const PING_EVERY_MS = 6_000;
const PING_TIMEOUT_MS = 1_000;
/** Values reach 1 MiB, and pages hold several. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

/**
 * The client of the vendor, without what it does by itself: no request is repeated, and none is without a deadline. It
 * connects when it is first asked.
 *
 * @param timeout how long one request may take that says nothing else, ms.
 * @see https://github.com/microsoft/etcd3/blob/master/src/connection-pool.ts
 */
export function openEtcd({ hosts, auth, credentials }: EtcdConnection, timeout: number): Etcd3 {
  return new Etcd3({
    hosts,
    ...(auth === undefined ? {} : { auth }),
    ...(credentials === undefined ? {} : { credentials }),
    // A stream without an end has no deadline; it is watched over by pings, and by whoever reads it.
    defaultCallOptions: ({ isStream }) => (isStream ? {} : { deadline: Date.now() + timeout }),
    faultHandling: { global: AS_IT_IS, host: () => AS_IT_IS } as unknown as NonNullable<IOptions['faultHandling']>,
    grpcOptions: {
      'grpc.keepalive_time_ms': PING_EVERY_MS,
      'grpc.keepalive_timeout_ms': PING_TIMEOUT_MS,
      // A connection without a stream is closed by etcd when it is pinged ("excess pings"); deadlines watch over that one.
      'grpc.keepalive_permit_without_calls': 0,
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
      // A member that is back is to be found again within a second or two.
      'grpc.initial_reconnect_backoff_ms': 200,
      'grpc.max_reconnect_backoff_ms': 2_000,
    },
  });
}

/** A policy that adds nothing: retries and breakers of the client are not wanted. What throws in it must reject. */
const AS_IT_IS = {
  execute: async (work: (context: object) => unknown): Promise<unknown> => work({}),
};
