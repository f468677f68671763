import { context, SpanKind, type Tracer } from '@opentelemetry/api';
import type { CallListener, CallObserver, ObservedCall } from '../../events/call-listener.js';
import { CallSpan } from './call-span.js';

/** Makes a span of each call, inside the one that is active where the call begins. */
export class SpanListener implements CallListener {
  constructor(
    private readonly tracer: Tracer,
    /** Whether each attempt gets one too. */
    private readonly attempts: boolean,
  ) {}

  begun(call: ObservedCall): CallObserver {
    const around = context.active();
    const span = this.tracer.startSpan(
      nameOf(call),
      {
        kind: SpanKind.INTERNAL,
        startTime: call.startedAt,
        attributes: { 'bulwark.name': call.name, 'bulwark.kind': call.kind, 'code.function.name': functionOf(call) },
      },
      around,
    );
    return new CallSpan(call, span, around, this.attempts ? this.tracer : undefined);
  }
}

/** Few names: a set of `execute()` goes by its own, which names a dependency. */
const nameOf = ({ className, methodName, name }: ObservedCall): string =>
  className === '' ? name : `${className}.${methodName}`;

const functionOf = ({ className, methodName }: ObservedCall): string =>
  className === '' ? 'ResilienceService.execute' : `${className}.${methodName}`;
