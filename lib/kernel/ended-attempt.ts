import type { AttemptEnded, AttemptOutcome, Cut } from '../events/call-listener.js';
import type { AttemptEnd } from './attempt-end.js';
import type { Attempt } from './attempt.js';

/** What a breaker says of an attempt. */
export type Verdict = 'success' | 'failure' | 'ignored';

/** How an attempt ended, where no breaker has a word. */
const OUTCOMES: Readonly<Record<AttemptEnd, AttemptOutcome>> = {
  refused: 'refused',
  lost: 'aborted',
  notBegun: 'ignored',
  shutDown: 'aborted',
  left: 'success',
  aborted: 'aborted',
  answered: 'client_error',
  failure: 'failure',
};

/** How an attempt ended that has failed. */
export function outcomeOf(end: AttemptEnd, verdict: Verdict | undefined): AttemptOutcome {
  const outcome = OUTCOMES[end];
  if (verdict === undefined || verdict === 'failure' || (outcome !== 'failure' && outcome !== 'client_error'))
    return outcome;
  return verdict === 'success' ? 'client_error' : 'ignored';
}

/** How an attempt ended, as it is told; made once for all who hear of it. */
export class EndedAttempt implements AttemptEnded {
  readonly number: number;
  readonly waitedMs: number;
  readonly durationMs: number | undefined;

  /**
   * @param begunAt when its method was called, on the monotonic clock; undefined: it never was.
   * @param endedAt on the monotonic clock.
   */
  constructor(
    private readonly call: { wallOf(moment: number): number },
    attempt: Attempt,
    readonly outcome: AttemptOutcome,
    private readonly begunAt: number | undefined,
    endedAt: number,
    readonly error: unknown,
    readonly cut: Cut | undefined,
  ) {
    this.number = attempt.number;
    this.waitedMs = (begunAt ?? endedAt) - attempt.since;
    this.durationMs = begunAt === undefined ? undefined : endedAt - begunAt;
  }

  get startedAt(): number | undefined {
    const { begunAt } = this;
    return begunAt === undefined ? undefined : this.call.wallOf(begunAt);
  }
}
