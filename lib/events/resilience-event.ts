import type { NoMoreAttempts } from './no-more-attempts.js';

/** The states that a breaker can be in; see the module's documentation of the circuit breaker. */
export type CircuitState = 'closed' | 'open' | 'halfOpen' | 'forcedOpen' | 'disabled';

/** The key of a policy in a policy set. */
export type PolicyKey =
  | 'recover'
  | 'fallback'
  | 'timeout'
  | 'coalesce'
  | 'retry'
  | 'hedge'
  | 'circuitBreaker'
  | 'adaptiveThrottle'
  | 'rateLimit'
  | 'bulkhead'
  | 'systemProtection';

interface Origin {
  /** When it happened, epoch milliseconds; a whole number. */
  at: number;
  /** The instance: the name given to it, or `Class.method`. */
  name: string;
  /** The policy that speaks. */
  policy: PolicyKey;
}

/**
 * An attempt that ended as a success; `latencyMs` runs from the moment the method was called. One that began in an
 * earlier state of its breaker is told as well, although it is counted no more.
 */
export interface SuccessEvent extends Origin {
  type: 'success';
  latencyMs: number;
}

/** An attempt that ended as a failure; see {@link SuccessEvent} for one that began in an earlier state. */
export interface FailureEvent extends Origin {
  type: 'failure';
  latencyMs: number;
  error: unknown;
}

/** An attempt that counted nowhere, with the reason. */
export interface IgnoredEvent extends Origin {
  type: 'ignored';
  reason: string;
  error: unknown;
}

/** A time limit cut a call; `queued` when its method had not begun. */
export interface TimeoutEvent extends Origin {
  type: 'timeout';
  limitMs: number;
  scope: 'perAttempt' | 'total';
  queued: boolean;
  /** The limit is a breaker's option `timeout`, which is 10 s where nobody says otherwise; absent: it is a timeout's own. */
  limitOf?: 'circuitBreaker';
}

/** A new attempt is about to be made after `delayMs`. */
export interface RetryEvent extends Origin {
  type: 'retry';
  /** The number of the attempt that failed, from 1. */
  attempt: number;
  maxAttempts: number;
  delayMs: number;
  error: unknown;
}

/** One more attempt is about to be made, since those before it have not answered for `delayMs`. */
export interface HedgeEvent extends Origin {
  type: 'hedge';
  /** The number of the new attempt. */
  attempt: number;
  delayMs: number;
}

/**
 * No further attempt was made, and why. A retry tells it of each call that it gives up and that was made again, or would
 * have been: its last error, or result, is what the caller gets. A hedge tells it where it would have begun an attempt.
 */
export interface RetrySuppressedEvent extends Origin {
  type: 'retrySuppressed';
  /** The number of the last attempt; that of a retry inside a hedge, or around one, goes on from those before it. */
  attempt: number;
  /** How many attempts were made in all. */
  attempts: number;
  reason: NoMoreAttempts;
  /** What the last attempt ended with; undefined for a result, and for a hedge, since it has not ended. */
  error: unknown;
}

/** A call was turned away before its method began. */
export interface RefusedEvent extends Origin {
  type: 'refused';
  code: string;
  retryAfterMs: number | undefined;
  details: Readonly<Record<string, unknown>> | undefined;
  /** With `mode: 'metricsOnly'`: it would have been turned away, and was not. */
  metricsOnly?: boolean;
}

/** A fallback answered in place of the method. */
export interface FallbackEvent extends Origin {
  type: 'fallback';
  error: unknown;
  /** How old the answer is, ms, where it is the last good one. */
  staleMs?: number;
}

/** Recover caught what would have escaped. */
export interface RecoveredEvent extends Origin {
  type: 'recovered';
  error: unknown;
}

/** A breaker changed its state. */
export interface StateChangeEvent extends Origin {
  type: 'stateChange';
  from: CircuitState;
  to: CircuitState;
  reason: string;
  /** With `mode: 'metricsOnly'`: it would have happened, and nothing was refused. */
  metricsOnly?: boolean;
  /** Somebody has ordered it: by the breaker's handle, or by a command of the cluster. */
  byHand?: boolean;
}

/** An adaptive limit of calls in flight moved. */
export interface LimitChangeEvent extends Origin {
  type: 'limitChange';
  limit: number;
  before: number;
}

/** A rule was applied at run time; `name` is the set, the shared name or the method of which it speaks. */
export interface RuleChangeEvent extends Origin {
  type: 'ruleChange';
  /** Where in the rule document, such as `policies.payments.timeout.perAttempt`. */
  path: string;
  /** What the rules said before; undefined: nothing. */
  from: unknown;
  /** What they say now; undefined: nothing. */
  to: unknown;
  /** Who changed it. */
  by: string;
  reason: string | undefined;
  /** The way by which it came: `'api'`, or the name of a source. */
  source: string;
  /** The version of the document in force now, if it has one. */
  version: number | string | undefined;
}

/** Incoming work was shed to protect the process. */
export interface ShedEvent extends Origin {
  type: 'shed';
  reason: string;
  details: Readonly<Record<string, unknown>> | undefined;
}

/** Work that went on long after its caller had gone gave its slot back while still running. */
export interface AbandonedEvent extends Origin {
  type: 'abandoned';
  afterMs: number;
}

/**
 * A breaker or a rate limit has more keys in use than `maxKeys`: calls of new keys pass a breaker unjudged, and share
 * one rate limit.
 */
export interface KeysExhaustedEvent extends Origin {
  type: 'keysExhausted';
  maxKeys: number;
}

/** A store that the processes of a cluster share went away, or came back. */
export interface StoreEvent extends Origin {
  type: 'store';
  store: 'etcd' | 'redis';
  up: boolean;
  /** Why it is taken for away; without credentials. */
  reason: string;
}

/** What an operator can order of a breaker by hand. */
export type OperatorAction = 'forceOpen' | 'forceClose' | 'reset' | 'disable' | 'enable';

/** Somebody has steered a breaker from the dashboard, or has tried to. */
export interface OperatorActionEvent extends Origin {
  type: 'operatorAction';
  policy: 'circuitBreaker';
  /** undefined: the request was turned away before anybody read it. */
  action: OperatorAction | undefined;
  /** Who: the user of the request, as far as the guards of the app know one, and the address. */
  by: string;
  reason: string | undefined;
  /** `'done'`, or the code of the refusal. */
  outcome: string;
  /** Whether it is for this process, or for all. */
  scope: 'process' | 'fleet';
}

/**
 * What the policies tell, a union on `type`.
 *
 * @publicApi
 */
export type ResilienceEvent =
  | SuccessEvent
  | FailureEvent
  | IgnoredEvent
  | TimeoutEvent
  | RetryEvent
  | HedgeEvent
  | RetrySuppressedEvent
  | RefusedEvent
  | FallbackEvent
  | RecoveredEvent
  | StateChangeEvent
  | LimitChangeEvent
  | RuleChangeEvent
  | ShedEvent
  | AbandonedEvent
  | KeysExhaustedEvent
  | StoreEvent
  | OperatorActionEvent;

/** An event before its source has set the time. */
export type ResilienceEventBody = ResilienceEvent extends infer E
  ? E extends Origin
    ? Omit<E, 'at'> & { at?: number }
    : never
  : never;
