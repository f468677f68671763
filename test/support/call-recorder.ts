import type {
  AttemptBegun,
  AttemptEnded,
  CallEnded,
  CallListener,
  CallObserver,
  Decided,
  ObservedCall,
  WaitEnded,
} from '../../lib/events/call-listener.js';

/** One call as a listener heard it. */
export class RecordedCall implements CallObserver {
  /** What was told, in order, in a few words. */
  readonly told: string[] = ['begun'];
  readonly attempts: AttemptEnded[] = [];
  readonly decisions: Decided[] = [];
  readonly waits: WaitEnded[] = [];
  end: CallEnded | undefined;

  readonly call: ObservedCall;

  /** What is told may work its numbers out when it is asked: they are noted as plain data. */
  constructor({ id, name, className, methodName, inner, kind, startedAt }: ObservedCall) {
    this.call = { id, name, className, methodName, inner, kind, startedAt };
  }

  attemptBegun({ number }: AttemptBegun): void {
    this.told.push(`attempt ${number} begun`);
  }

  attemptEnded(attempt: AttemptEnded): void {
    const { number, outcome, startedAt, waitedMs, durationMs, error, cut } = attempt;
    this.attempts.push({ number, outcome, startedAt, waitedMs, durationMs, error, cut });
    this.told.push(`attempt ${attempt.number} ${attempt.outcome}${by(attempt)}`);
  }

  waited(wait: WaitEnded): void {
    this.waits.push(wait);
    this.told.push(`${wait.policy} ${wait.granted ? 'waited' : 'waited in vain'}`);
  }

  decided(decision: Decided): void {
    this.decisions.push(decision);
    this.told.push(`${decision.policy} ${decision.type}`);
  }

  ended(end: CallEnded): void {
    this.end = end;
    this.told.push(`ended ${end.outcome}${by(end)}`);
  }
}

function by({ cut }: { readonly cut: string | undefined }): string {
  return cut === undefined ? '' : `, cut by ${cut}`;
}

/** Hears all of every call. */
export class CallRecorder implements CallListener {
  readonly calls: RecordedCall[] = [];

  begun(call: ObservedCall): CallObserver {
    const recorded = new RecordedCall(call);
    this.calls.push(recorded);
    return recorded;
  }

  /** What was told of the only call. */
  get told(): readonly string[] {
    if (this.calls.length !== 1) throw new Error(`expected one call, got ${this.calls.length}`);
    return this.calls[0]?.told ?? [];
  }
}
