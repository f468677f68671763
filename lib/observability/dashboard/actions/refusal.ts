import type { ActionRefusal } from '../protocol.js';

/** An action that is not done, and how that is answered. */
export interface Refusal {
  readonly status: number;
  readonly code: ActionRefusal['code'];
  /** For people; nothing of it comes from the request. */
  readonly message: string;
}

export const refusals = {
  origin: {
    status: 403,
    code: 'FORBIDDEN',
    message: 'the request does not come from this page: see allowedOrigins, and the headers that a proxy hands on',
  },
  rights: { status: 403, code: 'FORBIDDEN', message: 'actionGuards did not let this client in' },
  contentType: { status: 415, code: 'INVALID', message: 'expected Content-Type application/json' },
  tooLarge: { status: 413, code: 'TOO_LARGE', message: 'the body is longer than 16 KiB' },
  noJson: { status: 400, code: 'INVALID', message: 'the body is no JSON' },
  otherProcess: {
    status: 409,
    code: 'OTHER_PROCESS',
    message: 'the action is for another process: a load balancer has sent it here, or the app was started anew',
  },
  repeated: { status: 409, code: 'REPEATED', message: 'an action of this id was taken already' },
  stale: { status: 409, code: 'STALE', message: 'the breaker is in another state by now' },
  unknown: { status: 404, code: 'UNKNOWN_INSTANCE', message: 'there is no circuit breaker of this name, or key' },
  noFleet: {
    status: 409,
    code: 'NO_FLEET',
    message: 'this process cannot reach the others: import ResilienceEtcdModule with commands',
  },
  fleetFailed: {
    status: 503,
    code: 'FLEET_FAILED',
    message: 'the store of the fleet has not taken the command, or has not said so in time: it may hold all the same',
  },
} as const satisfies Record<string, Refusal>;

export function invalid(message: string): Refusal {
  return { status: 400, code: 'INVALID', message };
}
