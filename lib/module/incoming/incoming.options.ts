import { aBoolean, checkOptions, isPlainObject, positiveMs, show } from '../../kernel/options/check.js';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';

/** What the time limits of callers mean for this app. */
export interface DeadlineOptions {
  /**
   * Whether a request may bring the time that it has: by the header `X-Request-Timeout` (`250m`: 250 ms), the deadline of a
   * gRPC call, or the headers of NATS and RabbitMQ messages.
   *
   * @default false
   */
  accept?: boolean;
  /** What is longer counts as this, ms. @default 60_000 */
  max?: number;
}

/** Options about what comes in from outside; they decide on a provider, so they stand beside a factory of the others. */
export interface IncomingOptions {
  /** Time limits that callers bring. It needs `callContext: true`. @default none is accepted */
  deadlines?: DeadlineOptions;
  /**
   * Whether a client that hangs up cuts what is done for it: `currentCall().signal`, `@Signal()`, waits and retries.
   * `'safe'`: of HTTP's GET, HEAD and OPTIONS alone. It needs `callContext: true`.
   *
   * @default false
   */
  abortOnDisconnect?: boolean | 'safe';
  /**
   * Whether an HTTP answer that is made of last good answers says so, by `Age` and `Cache-Status`. `true`: whatever is called for
   * the request, which needs `callContext: true`; `false`: none does.
   *
   * @default those of handlers that have `lastGood` themselves
   */
  staleHeaders?: boolean;
}

export interface ResolvedIncoming {
  readonly accept: boolean;
  readonly maxMs: number;
  readonly abortOnDisconnect: boolean | 'safe';
}

const DEFAULT_MAX_MS = 60_000;

/** Whether any of it is switched on. */
export function wantsIncoming({ deadlines, abortOnDisconnect, staleHeaders }: IncomingOptions): boolean {
  return (
    deadlines?.accept === true || abortOnDisconnect === true || abortOnDisconnect === 'safe' || staleHeaders === true
  );
}

/** @throws ResilienceConfigurationError */
export function resolveIncoming(
  place: string,
  { deadlines = {}, abortOnDisconnect = false }: IncomingOptions,
): ResolvedIncoming {
  if (!isPlainObject(deadlines))
    throw new ResilienceConfigurationError(
      place,
      `option 'deadlines': expected { accept, max }, got ${show(deadlines)}`,
    );
  checkOptions<DeadlineOptions>(`${place}.deadlines`, deadlines, { accept: aBoolean, max: positiveMs });
  if (![true, false, 'safe'].includes(abortOnDisconnect))
    throw new ResilienceConfigurationError(
      place,
      `option 'abortOnDisconnect': expected true, false or 'safe', got ${show(abortOnDisconnect)}`,
    );
  const { accept = false, max = DEFAULT_MAX_MS } = deadlines as DeadlineOptions;
  return { accept, maxMs: max, abortOnDisconnect };
}
