import type {
  AttemptEnded,
  CallEnded,
  CallObserver,
  CallOutcome,
  Decided,
  ObservedCall,
  WaitEnded,
} from '../events/call-listener.js';
import type { CircuitState, PolicyKey, RetrySuppressedEvent } from '../events/resilience-event.js';
import { instanceOf } from '../errors/foreign.js';
import { isRefusal } from '../errors/resilience.exception.js';
import { TimeoutException } from '../errors/timeout.exception.js';
import { DurationCounts } from './duration-counts.js';

/** Why a fallback answered. */
export type FallbackReason = 'failure' | 'timeout' | 'refused';

/** How often something happened, by what it was; a kind that never happened is not there. */
export type Tallies<K extends string> = Partial<Record<K, number>>;

/** What waits come to. */
export interface WaitSum {
  count: number;
  sumMs: number;
}

/**
 * What happened under one name since counting began. Calls, and what their policies decided, count under the name of the
 * call; refusals, waits and changes of state under that of the policy. It is what listens to the calls, too, so that
 * counting a call makes nothing new.
 */
export class CallCounts implements CallObserver {
  /** How many calls run now. */
  inFlight = 0;
  /** Exactly one for each call: what its caller got. */
  readonly outcomes: Record<CallOutcome, number> = {
    success: 0,
    failure: 0,
    client_error: 0,
    aborted: 0,
    refused: 0,
    fallback: 0,
    recovered: 0,
  };
  /** How long calls and attempts took that ended so: refusals would make an outage look fast. */
  readonly callDurations: Readonly<Record<'success' | 'failure', DurationCounts>>;
  readonly attemptDurations: Readonly<Record<'success' | 'failure', DurationCounts>>;
  readonly waits: Partial<Record<WaitEnded['policy'], WaitSum>> = {};
  readonly refusals: Tallies<PolicyKey> = {};
  /** What policies with `metricsOnly` would have refused. */
  readonly shadowRefusals: Tallies<PolicyKey> = {};
  retries = 0;
  /** Calls that were tried again, by what that came to. */
  readonly retriedCalls = { success: 0, failure: 0 };
  readonly retriesSuppressed: Tallies<RetrySuppressedEvent['reason']> = {};
  hedges = 0;
  readonly timeouts = { perAttempt: 0, total: 0 };
  readonly fallbacks: Record<FallbackReason, number> = { failure: 0, timeout: 0, refused: 0 };
  /** Into which states its breakers went, those of its keys included. */
  readonly transitions: Tallies<CircuitState> = {};

  /** Hears calls inside others that count already: their decisions alone are their own. */
  private readonly inside: CallObserver = {
    waited: (wait) => this.waited(wait),
    decided: (decision) => this.decided(decision),
    ended: ({ outcome, retries }) => this.#retried(outcome, retries),
  };

  /**
   * @param bounds of the buckets of durations, ascending, ms.
   * @param of gives the counts of a policy that goes by another name than the call.
   * @param failed told what an attempt has failed with.
   */
  constructor(
    bounds: readonly number[],
    private readonly of: (policyName: string) => CallCounts,
    private readonly failed: (error: unknown) => void = () => undefined,
  ) {
    this.callDurations = { success: new DurationCounts(bounds), failure: new DurationCounts(bounds) };
    this.attemptDurations = { success: new DurationCounts(bounds), failure: new DurationCounts(bounds) };
  }

  /** A call begins. @returns what hears the rest of it. */
  begun({ inner }: Pick<ObservedCall, 'inner'>): CallObserver {
    if (inner) return this.inside;
    this.inFlight++;
    return this;
  }

  attemptEnded({ outcome, durationMs, error }: AttemptEnded): void {
    if (outcome === 'failure') this.failed(error);
    if (durationMs !== undefined && (outcome === 'success' || outcome === 'failure'))
      this.attemptDurations[outcome].record(durationMs);
  }

  waited({ name, policy, waitedMs }: WaitEnded): void {
    const { waits } = this.of(name);
    const sum = (waits[policy] ??= { count: 0, sumMs: 0 });
    sum.count++;
    sum.sumMs += waitedMs;
  }

  decided(decision: Decided): void {
    switch (decision.type) {
      case 'refused':
        count(this.of(decision.name).refusals, decision.policy);
        break;
      case 'retry':
        this.retries++;
        break;
      case 'retrySuppressed':
        count(this.retriesSuppressed, decision.reason);
        break;
      case 'hedge':
        this.hedges++;
        break;
      case 'timeout':
        this.timeouts[decision.scope]++;
        break;
      case 'fallback':
        this.fallbacks[reasonOf(decision.error)]++;
        break;
      case 'recovered':
        // The outcome of the call says it.
        break;
    }
  }

  ended({ outcome, durationMs, retries }: CallEnded): void {
    this.inFlight--;
    this.outcomes[outcome]++;
    if (outcome === 'success' || outcome === 'failure') this.callDurations[outcome].record(durationMs);
    this.#retried(outcome, retries);
  }

  /** A policy with `metricsOnly` would have refused a call. */
  wouldRefuse(policy: PolicyKey): void {
    count(this.shadowRefusals, policy);
  }

  entered(state: CircuitState): void {
    count(this.transitions, state);
  }

  #retried(outcome: CallOutcome, retries: number): void {
    if (retries > 0) this.retriedCalls[outcome === 'success' ? 'success' : 'failure']++;
  }
}

function count<K extends string>(tallies: Tallies<K>, what: K): void {
  tallies[what] = (tallies[what] ?? 0) + 1;
}

function reasonOf(error: unknown): FallbackReason {
  if (instanceOf(error, TimeoutException)) return 'timeout';
  return isRefusal(error) ? 'refused' : 'failure';
}
