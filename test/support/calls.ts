import { PipelineCall, type CallOrigin } from '../../lib/pipeline/call.js';
import { compose } from '../../lib/pipeline/compose.js';
import { promiseStage } from '../../lib/pipeline/stages.js';
import type { Next } from '../../lib/kernel/call.js';
import type { Clock } from '../../lib/kernel/clock.js';
import { Lifecycle } from '../../lib/kernel/policy.js';

/** A call of `Client.load`. */
export function newCall(
  { clock, lifecycle = new Lifecycle() }: { clock: Clock; lifecycle?: Lifecycle },
  origin: Partial<CallOrigin> = {},
): PipelineCall {
  const target = { className: 'Client', methodName: 'load', clock, lifecycle, callContext: false };
  return new PipelineCall(target, { instance: undefined, args: [], ...origin });
}

/** The end of a pipeline: the guarded method. */
export function method(body: (call: PipelineCall) => unknown): Next {
  return compose({}, promiseStage(body) as Next);
}

/** A guarded method whose calls end when the test says so. */
export class ManualWork {
  /** The calls that have begun, in order. */
  readonly calls: PipelineCall[] = [];
  readonly #ends: { resolve: (value: unknown) => void; reject: (error: unknown) => void }[] = [];

  readonly next: Next = method(
    (call) =>
      new Promise((resolve, reject) => {
        this.calls.push(call);
        this.#ends.push({ resolve, reject });
      }),
  );

  /** How many calls have begun. */
  get begun(): number {
    return this.calls.length;
  }

  /** Ends call number `index`, from 0. */
  succeed(index: number, value: unknown = 'done'): void {
    this.#ends[index]?.resolve(value);
  }

  fail(index: number, error: unknown = new Error('no')): void {
    this.#ends[index]?.reject(error);
  }
}

/** A guarded method that gives the next of `outcomes` at each call: an Error is thrown, anything else returned. */
export function scripted(outcomes: readonly unknown[]): { next: Next; calls: PipelineCall[] } {
  const calls: PipelineCall[] = [];
  const next = method((call) => {
    const outcome = outcomes[Math.min(calls.length, outcomes.length - 1)];
    calls.push(call);
    return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
  });
  return { next, calls };
}
