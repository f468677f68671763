/**
 * The time that is left for a request, as the header `X-Request-Timeout` says it: a whole number of at most eight digits and
 * a unit, `250m` for 250 ms. The form is that of `grpc-timeout`.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests
 */
export const REQUEST_TIMEOUT_HEADER = 'x-request-timeout';

/** By this header a caller tells that it makes failed requests again, and which attempt this is, from 1. */
export const RETRY_ATTEMPT_HEADER = 'x-retry-attempt';

const FORM = /^(\d{1,8})([HMSmun])$/;
const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };
const MOST_DIGITS = 99_999_999;

/** In ms; undefined for what is no such time: a client that writes nonsense gets no limit, and no error. */
export function parseRequestTimeout(value: unknown): number | undefined {
  const [, digits, unit] = (typeof value === 'string' ? FORM.exec(value) : null) ?? [];
  return digits === undefined || unit === undefined ? undefined : Number(digits) * (UNIT_MS[unit] as number);
}

/**
 * @param ms from 0; a part of a ms counts as one. Whoever waits is the first to see that the time is over, and knows then
 * that this says nothing of the service; an answer of it that came just before would be a failure.
 */
export function formatRequestTimeout(ms: number): string {
  const whole = Math.max(0, Math.ceil(ms));
  return whole <= MOST_DIGITS ? `${whole}m` : `${Math.min(Math.floor(whole / 1_000), MOST_DIGITS)}S`;
}
