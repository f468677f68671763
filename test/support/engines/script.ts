/** What a guarded method gives; `learned`: it has not said so, and gives what {@link Script.gives} names. */
export type Kind = 'sync' | 'promise' | 'observable' | 'iterable' | 'learned';

/** What the guarded work itself returns. */
export type Gives = 'value' | 'promise' | 'observable' | 'iterable';

/** What becomes of a run of the guarded work by itself; `nests`: it waits for another guarded method of the same policies. */
export type Manner = 'waits' | 'obeys its signal' | 'answers' | 'rejects' | 'throws' | 'nests';

/** How a run ends; the errors are those that the policies tell apart. */
export type End = 'answer' | 'empty' | 'again' | 'bad' | 'down' | 'client' | 'busy' | 'declined' | 'nothing';

export type Step =
  | { does: 'call'; key: string; priority: number; by: 'method' | 'execute'; signal: boolean }
  | { does: 'settle'; run: number; end: End }
  | { does: 'emit'; run: number; end: End }
  | { does: 'abort'; call: number }
  | { does: 'leave'; call: number }
  | { does: 'pull'; call: number }
  | { does: 'pass'; ms: number }
  /** The event loop is blocked; a run ends in the turn in which late timers fire. */
  | { does: 'block'; ms: number; run: number; end: End }
  | { does: 'rules'; set: Readonly<Record<string, unknown>> | undefined }
  | { does: 'order'; order: Order }
  | { does: 'shut down' };

/** What an operator does to a breaker. */
export type Order = 'forceOpen' | 'forceClose' | 'reset' | 'disable' | 'enable' | 'restore';

/** How a fallback or Recover answers. */
export type Substitute = 'value' | 'handler' | 'slow handler' | 'throwing handler' | 'rejecting handler' | 'method';

/** One policy set, as data: each engine makes functions of its own of what names one. */
export interface Stack {
  recover?: { answers: Substitute; on: Errors };
  fallback?: { answers: Substitute; on: Errors }[];
  timeout?: { perAttempt?: number; total?: number };
  coalesce?: { scope: 'instance' | 'class' };
  retry?: { maxAttempts: number; backoff: object; again: boolean } & Readonly<Record<string, unknown>>;
  hedge?: { after: number; maxAttempts: number; budget: false };
  circuitBreaker?: { answers: boolean; bad: boolean; filters: boolean; keyed: boolean } & Readonly<
    Record<string, unknown>
  >;
  rateLimit?: { keyed: boolean } & Readonly<Record<string, unknown>>;
  bulkhead?: { ranked: boolean } & Readonly<Record<string, unknown>>;
}

/** The errors that a substitute answers: all, or those with a code. */
export type Errors = 'all' | 'DOWN' | 'TIMEOUT' | 'CIRCUIT_OPEN';

/** All that happens to one app, for any engine. */
export interface Script {
  stack: Stack;
  kind: Kind;
  /** What a method gives that has not said so. */
  gives: Gives;
  /** By the number of the run, over again when they are used up. */
  manners: Manner[];
  /** Whether the consumer of an iterable asks for the next item as soon as it has one. */
  eager: boolean;
  /** Whether the method has a parameter for its signal. */
  signal: boolean;
  /** Whether `execute()` answers refusals itself. */
  answersRefusals: boolean;
  steps: Step[];
}
