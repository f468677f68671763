import { instanceOf } from '../errors/foreign.js';
import { aFunction, checkValue } from '../kernel/options/check.js';
import { warnOfUncut } from '../pipeline/current-call.js';
import { outgoing } from '../pipeline/outgoing.js';
import { UpstreamHttpError } from './upstream-http.error.js';

/** What {@link resilientFetch} takes beside what `fetch` does. */
export interface ResilientFetchInit extends RequestInit {
  /**
   * Which answers are errors beside 5xx, 408, 425 and 429, which always are, so that breakers count them and retries try again.
   * The others are given to the caller, so that a 404 stays a 404.
   *
   * @example `({ ok }) => !ok`, all but 2xx
   * @default none
   */
  failOn?: (response: Response) => boolean;
}

const FAILED_4XX = new Set([408, 425, 429]);

function failed({ status }: Response): boolean {
  return status >= 500 || FAILED_4XX.has(status);
}

/**
 * `fetch` that knows the running guarded call: the call's end cuts it, and the dependency learns how much time is left
 * (`X-Request-Timeout`), which attempt this is (`X-Retry-Attempt`, where a retry makes it) and by which key it knows a
 * repetition (`Idempotency-Key`, where the method is `@Idempotent()`). Headers that the app sets itself stay.
 *
 * It needs `forRoot({ callContext: true })`; without it, and outside of guarded calls, it is `fetch`: give it a `signal` (`@Signal()`), then.
 *
 * @example
 * @CircuitBreaker() @Retry(3) @Timeout({ total: 2_000 })
 * async rates(): Promise<Rates> {
 *   const response = await resilientFetch('https://rates.example/latest', { failOn: ({ ok }) => !ok });
 *   return (await response.json()) as Rates;
 * }
 *
 * @throws (as a rejection) UpstreamHttpError for an answer that counts as an error; TimeoutException where it comes when the
 * time of a client from outside is over, which no breaker counts; ResilienceConfigurationError for a `failOn` that is no
 * function, or an async one; what `fetch` throws.
 *
 * @publicApi
 */
export async function resilientFetch(
  input: string | URL | Request,
  { failOn, ...init }: ResilientFetchInit = {},
): Promise<Response> {
  if (failOn !== undefined) checkValue('resilientFetch()', "option 'failOn'", failOn, aFunction);
  const call = outgoing();
  // A Request always has a signal, and does not say whose.
  if (call === undefined && (init.signal ?? undefined) === undefined && !instanceOf(input, Request))
    warnOfUncut('resilientFetch()');
  const response = await fetch(input, call === undefined ? init : withCall(input, init, call));
  const isError = failed(response) || failOn?.(response) === true;
  if (!isError) return response;
  // Nobody reads it: the connection is free again.
  await response.body?.cancel();
  throw call?.instead() ?? new UpstreamHttpError(response);
}

function withCall(
  input: string | URL | Request,
  init: RequestInit,
  call: NonNullable<ReturnType<typeof outgoing>>,
): RequestInit {
  const own = init.signal ?? (instanceOf(input, Request) ? input.signal : undefined);
  const headers = new Headers(init.headers ?? (instanceOf(input, Request) ? input.headers : undefined));
  for (const [name, value] of Object.entries(call.headers)) if (!headers.has(name)) headers.set(name, value);
  return { ...init, headers, signal: own === undefined ? call.signal : AbortSignal.any([own, call.signal]) };
}
