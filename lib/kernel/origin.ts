import type { ResilienceException } from '../errors/resilience.exception.js';
import type { CallInfo } from './call-info.js';

/** What a call was begun with, beside its arguments. */
export interface Origin {
  /** The ExecutionContext, in an interceptor. */
  readonly context?: unknown;
  /** Whether the caller allows another attempt now. @default always */
  readonly repeatable?: (() => boolean) | undefined;
  /** What is run, where the plan leaves it to the call. */
  readonly body?: ((call: CallInfo) => unknown) | undefined;
  /** Answers a refusal of this one call. */
  readonly onRefused?: ((error: ResilienceException, call: CallInfo) => unknown) | undefined;
  /** The response that its answer becomes, where Nest hands it to a handler of HTTP. */
  readonly response?: unknown;
  /** Told how old the oldest of the last good answers is that its answer is made of, ms, once for each of them. */
  readonly onStale?: ((origin: Origin, ageMs: number) => void) | undefined;
  /** Where the items of a stream go. */
  readonly sink?: unknown;
}
