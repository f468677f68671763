import { context, SpanKind, trace, type Attributes, type Context, type Span, type Tracer } from '@opentelemetry/api';
import type {
  AttemptBegun,
  AttemptEnded,
  CallEnded,
  CallObserver,
  Decided,
  ObservedCall,
} from '../../events/call-listener.js';
import { snakeCase } from '../meters/snake-case.js';
import { errorTypeOf, failSpan, recordError } from './span-errors.js';

const SECOND_MS = 1_000;

/** The span of one call, and those of its attempts inside it. */
export class CallSpan implements CallObserver {
  /** What is active while its method runs, where attempts have no span. */
  readonly #inside: Context;
  readonly #attempts = new Map<number, Span>();
  /** The last error that the span of an attempt has. */
  #recorded: unknown;

  /** @param tracer makes the spans of attempts; undefined: they get none. */
  constructor(
    private readonly call: ObservedCall,
    private readonly span: Span,
    around: Context,
    private readonly tracer: Tracer | undefined,
  ) {
    this.#inside = trace.setSpan(around, span);
  }

  attemptBegun({ number, startedAt, waitedMs }: AttemptBegun): void {
    const span = this.tracer?.startSpan(
      `${this.call.name} attempt`,
      {
        kind: SpanKind.INTERNAL,
        startTime: startedAt,
        attributes: {
          'bulwark.name': this.call.name,
          'bulwark.attempt.number': number,
          'bulwark.attempt.wait': waitedMs / SECOND_MS,
        },
      },
      this.#inside,
    );
    if (span !== undefined) this.#attempts.set(number, span);
  }

  /** Whatever the method does hangs under its attempt. */
  run(work: () => void, { number }: AttemptBegun): void {
    const span = this.#attempts.get(number);
    context.with(span === undefined ? this.#inside : trace.setSpan(this.#inside, span), work);
  }

  attemptEnded({ number, outcome, startedAt = 0, durationMs = 0, error, cut }: AttemptEnded): void {
    const span = this.#attempts.get(number);
    if (span === undefined) return;
    this.#attempts.delete(number);
    const at = startedAt + durationMs;
    span.setAttributes({ 'bulwark.outcome': outcome, ...attributesOf(error, cut) });
    if (outcome === 'failure') {
      failSpan(span, error);
      if (error !== undefined) recordError(span, error, at);
      this.#recorded = error;
    }
    span.end(at);
  }

  decided(decision: Decided): void {
    this.span.addEvent(`bulwark.${snakeCase(decision.type)}`, detailsOf(decision), decision.at);
  }

  ended({ outcome, durationMs, attempts, retries, error, cut }: CallEnded): void {
    const { span, call } = this;
    const at = call.startedAt + durationMs;
    span.setAttributes({
      'bulwark.outcome': outcome,
      'bulwark.attempts': attempts,
      'bulwark.retries': retries,
      ...attributesOf(error, cut),
    });
    if (outcome === 'failure' || outcome === 'refused') {
      failSpan(span, error);
      // That of an attempt is there already.
      if (error !== undefined && error !== this.#recorded) recordError(span, error, at);
    }
    span.end(at);
  }
}

function attributesOf(error: unknown, cut: string | undefined): Attributes {
  return {
    ...(error !== undefined && { 'error.type': errorTypeOf(error) }),
    ...(cut !== undefined && { 'bulwark.cut': snakeCase(cut) }),
  };
}

/** What a policy decided, without what the error says: that stands with the attempt. */
function detailsOf(decision: Decided): Attributes {
  const of = { 'bulwark.policy': snakeCase(decision.policy), 'bulwark.policy.name': decision.name };
  switch (decision.type) {
    case 'refused':
      return { ...of, 'bulwark.refusal.code': decision.code };
    case 'retry':
    case 'hedge':
      return { ...of, 'bulwark.attempt.number': decision.attempt, 'bulwark.delay': decision.delayMs / SECOND_MS };
    case 'retrySuppressed':
      return { ...of, 'bulwark.reason': snakeCase(decision.reason) };
    case 'timeout':
      return { ...of, 'bulwark.scope': snakeCase(decision.scope), 'bulwark.limit': decision.limitMs / SECOND_MS };
    case 'fallback':
    case 'recovered':
      return { ...of, 'error.type': errorTypeOf(decision.error) };
  }
}
