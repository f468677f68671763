import type { CircuitState, PolicyKey } from '../../events/resilience-event.js';

/** What the page, and `nestjs-bulwark ls`, get from the app. All times are epoch ms, all durations ms. */

/** The process that speaks. */
export interface ProcessInfo {
  /** Made anew at each start. An action carries it, so that none reaches another process of the same address. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** Of this package. */
  readonly version: string;
  readonly startedAt: number;
}

/** The states of a breaker on the wire. */
export type BreakerState = CircuitState;

/** What does not change from second to second. */
export interface InstanceRow {
  readonly name: string;
  /** The methods, routes and sets that go by it. */
  readonly guards: readonly string[];
  readonly policies: readonly PolicyKey[];
}

/** The numbers of one instance in one second; arrays, since 500 instances go over the wire each second. */
export type Sample = readonly [
  /** Its place among the rows. */
  index: number,
  /** Of its breaker; null: it has none. */
  state: BreakerState | null,
  /** Calls that ended in the second before, all outcomes. */
  calls: number,
  failures: number,
  refused: number,
  /** Answered by a fallback or recover. */
  substituted: number,
  /** Of the last 10 s, ms; null: no call ended. */
  p50: number | null,
  p95: number | null,
  p99: number | null,
  inFlight: number,
  /** In bulkheads and rate limits of this name. */
  waiting: number,
  /** The share of failures in the breaker's window, 0 to 1; null: it has no breaker. */
  failureRatio: number | null,
  /** Keys of its breaker that are not closed. */
  keysNotClosed: number,
];

/** Something that was decided, with its reason. */
export interface TimelineEntry {
  readonly id: number;
  readonly at: number;
  readonly type: string;
  readonly name: string;
  readonly policy: string;
  /** One line, without upstream's texts. */
  readonly text: string;
  readonly level: 'info' | 'warn';
  /** How often it happened again within the same minute. */
  readonly repeats: number;
}

export interface Ingress {
  readonly active: number;
  /** null: nothing limits it. */
  readonly limit: number | null;
  readonly loopDelayMs: number;
  readonly shed: number;
}

/** `GET api/state`, and the first message of `GET api/stream` (event `state`). */
export interface DashboardState {
  readonly process: ProcessInfo;
  readonly now: number;
  /** Whether this client may act; see `actionGuards`. */
  readonly canAct: boolean;
  /** Whether actions can be for all processes. */
  readonly fleet: boolean;
  readonly draining: boolean;
  readonly instances: readonly InstanceRow[];
  /** The newest sample of each. */
  readonly samples: readonly Sample[];
  readonly timeline: readonly TimelineEntry[];
  readonly ingress: Ingress | null;
}

/** Each second at most, as event `tick` of `GET api/stream`: what is new. */
export interface Tick {
  readonly now: number;
  readonly draining: boolean;
  /** Rows that came since, with their places: rows never move, and a row that is gone has a `null` sample state for good. */
  readonly added: readonly (InstanceRow & { readonly index: number })[];
  /** Those that differ from the tick before. */
  readonly samples: readonly Sample[];
  /** New ones, and those of which `repeats` has grown. */
  readonly timeline: readonly TimelineEntry[];
  readonly ingress: Ingress | null;
}

/** One point of the chart of an instance: calls ended since the point before. */
export type HistoryPoint = readonly [
  at: number,
  success: number,
  failure: number,
  refused: number,
  substituted: number,
  p50: number | null,
  p95: number | null,
  p99: number | null,
];

/** One policy of a plan, with where each option came from. */
export interface PlanStepView {
  readonly policy: string;
  readonly name: string;
  /** As text, in the form in which they are shown. */
  readonly options: readonly { readonly option: string; readonly value: string; readonly source: string }[];
}

export interface RuleView {
  readonly path: string;
  readonly value: string;
  /** What holds without it. */
  readonly before: string | null;
}

/** `GET api/instances/:name`, or for a name of any length `GET api/instances?name=`: Fastify's paths take 100 characters. */
export interface InstanceDetail {
  readonly row: InstanceRow;
  readonly now: number;
  /** For each guarded method, outermost policy first. */
  readonly plans: readonly { readonly guard: string; readonly steps: readonly PlanStepView[] }[];
  /** The rules in force that speak of it. */
  readonly rules: { readonly revision: string | null; readonly by: string | null; readonly lines: readonly RuleView[] };
  readonly breaker: {
    readonly state: BreakerState;
    readonly reason: string;
    readonly probesAt: number | null;
    readonly calls: number;
    readonly failureRatio: number;
    readonly thresholdRatio: number;
    readonly metricsOnly: boolean;
    /** At most 100 that are not closed, then others. */
    readonly keys: readonly { readonly key: string; readonly state: BreakerState }[] | null;
  } | null;
  readonly bulkhead: {
    readonly active: number;
    readonly waiting: number;
    readonly limit: number;
    /** How many keys have slots of their own; null: it has no keys. */
    readonly keys: number | null;
  } | null;
  readonly rateLimit: {
    readonly available: number | null;
    readonly waiting: number;
    readonly limit: number;
    readonly per: number;
  } | null;
  readonly budget: { readonly tokens: number } | null;
  /** The last minutes, oldest first. */
  readonly history: readonly HistoryPoint[];
  /** Only for those whom `actionGuards` let in. */
  readonly lastErrors: readonly { readonly at: number; readonly text: string }[] | null;
}

export type ActionKind = 'forceOpen' | 'forceClose' | 'reset' | 'disable' | 'enable';

/** `POST api/actions`, application/json. */
export interface ActionRequest {
  /** A UUID: the same one does nothing twice. */
  readonly id: string;
  /** {@link ProcessInfo.id} of the process that it is meant for. */
  readonly process: string;
  readonly instance: string;
  /** For one key of the instance alone. */
  readonly key?: string;
  readonly action: ActionKind;
  /** The state that whoever acts saw. */
  readonly seen: BreakerState;
  /** At most 200 characters. */
  readonly reason?: string;
  /** All processes, where {@link DashboardState.fleet}. @default 'process' */
  readonly scope?: 'process' | 'fleet';
  /** How long a command for the fleet holds, ms. @default 900_000, at most 86_400_000 */
  readonly for?: number;
}

/** The answer to an action that was done: 200. Others: 400, 403, 404, 409, 413, 415, 503, with an {@link ActionRefusal}. */
export interface ActionResult {
  readonly state: BreakerState;
}

export interface ActionRefusal {
  readonly code:
    | 'INVALID'
    | 'FORBIDDEN'
    | 'UNKNOWN_INSTANCE'
    | 'OTHER_PROCESS'
    | 'STALE'
    | 'REPEATED'
    | 'TOO_LARGE'
    | 'NO_FLEET'
    | 'FLEET_FAILED';
  /** For people. */
  readonly message: string;
}
