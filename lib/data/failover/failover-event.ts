/** What every event of a failover service has. */
interface FailoverEventBase {
  /** When, in epoch ms. */
  readonly at: number;
}

/** A node is taken out: its breaker has opened, or it says that it takes no writes. */
export interface NodeDownEvent extends FailoverEventBase {
  readonly type: 'nodeDown';
  /** `primary`, or `standbys[0]`. */
  readonly node: string;
  /** `readOnly`: it answers, but takes no writes, so it is no primary. */
  readonly reason: 'unavailable' | 'readOnly';
  readonly error: unknown;
}

/** A node is back. */
export interface NodeUpEvent extends FailoverEventBase {
  readonly type: 'nodeUp';
  readonly node: string;
  /** How long it was down, in ms. */
  readonly downMs: number;
}

/** A write was acknowledged by the queue. */
export interface QueuedEvent extends FailoverEventBase {
  readonly type: 'queued';
  readonly key: string;
  readonly version: string;
  /** How many keys wait in the queue now. */
  readonly length: number;
  /** Why the primary did not take it. */
  readonly error: unknown;
}

/** The primary has a queued write. */
export interface ReplayedEvent extends FailoverEventBase {
  readonly type: 'replayed';
  readonly key: string;
  readonly version: string;
  /** How long its key had been in the queue, in ms. */
  readonly waitedMs: number;
  /** How many keys wait in the queue now. */
  readonly length: number;
}

/** A node refused a write for good. A queued one is in the folder `rejected` now, and the primary has the value before. */
export interface RejectedEvent extends FailoverEventBase {
  readonly type: 'rejected';
  readonly node: string;
  readonly key: string;
  readonly version: string;
  readonly error: unknown;
}

/** An acknowledged write has lost against a newer one of another process. */
export interface ConflictEvent extends FailoverEventBase {
  readonly type: 'conflict';
  readonly key: string;
  /** The version that lost. */
  readonly version: string;
  /** The version that stands. */
  readonly winner: string;
}

/** A mirror cannot keep up: a write is not copied to it. */
export interface MirrorOverflowEvent extends FailoverEventBase {
  readonly type: 'mirrorOverflow';
  readonly node: string;
  readonly key: string;
  /** How many writes were not copied so far. */
  readonly dropped: number;
}

/**
 * What happens in a failover service.
 *
 * @publicApi
 */
export type FailoverEvent =
  NodeDownEvent | NodeUpEvent | QueuedEvent | ReplayedEvent | RejectedEvent | ConflictEvent | MirrorOverflowEvent;

type WithoutTime<E> = E extends unknown ? Omit<E, 'at'> : never;

/** Tells an event; when, is added. */
export type TellFailover = (event: WithoutTime<FailoverEvent>) => void;

/** One node as `status()` shows it. */
export interface FailoverNodeStatus {
  readonly name: string;
  readonly role: 'primary' | 'replica' | 'mirror';
  /** `readOnly`: it answers reads, but takes no writes. */
  readonly state: 'up' | 'down' | 'readOnly';
  /** How far a replica lags behind at most, in ms; undefined where nothing is measured or nothing was seen. */
  readonly stalenessMs?: number | undefined;
  /** How many writes wait to be copied to a mirror. */
  readonly pending?: number | undefined;
}

/**
 * How a failover service stands.
 *
 * @publicApi
 */
export interface FailoverStatus {
  readonly nodes: readonly FailoverNodeStatus[];
  /** How many keys wait in the queue; 0 without one. */
  readonly queueLength: number;
  /** How long the oldest of them has been waiting, in ms; undefined where none waits. */
  readonly oldestQueuedMs: number | undefined;
}
