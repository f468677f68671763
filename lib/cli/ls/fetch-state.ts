import { propertyOf } from '../../errors/foreign.js';
import { maskCredentials } from '../../errors/mask-credentials.js';
import type { DashboardState } from '../../observability/dashboard/protocol.js';
import { safeText } from '../shell/safe-text.js';
import { shownAddress, type LsArguments } from './arguments.js';

/** An app that does not answer within this time, ms, is away. */
const TIMEOUT_MS = 10_000;

/** Why there is no state. */
export class StateError extends Error {
  /** @param passes whether it may be there again later: the app starts anew, or is busy. */
  constructor(
    message: string,
    readonly passes: boolean,
  ) {
    super(message);
  }
}

/**
 * Asks the app for its state.
 *
 * @throws StateError that says what to do about it.
 */
export async function fetchState({ url, headers }: LsArguments, signal: AbortSignal): Promise<DashboardState> {
  const shown = shownAddress(url);
  const response = await ask(url, headers, signal, shown);
  if (response.status !== 200) {
    await response.body?.cancel();
    throw refusal(response, shown);
  }
  const body: unknown = await response.json().catch(() => undefined);
  signal.throwIfAborted();
  if (!isState(body)) throw new StateError(`what answers at ${shown} is no dashboard of nestjs-bulwark`, false);
  return body;
}

async function ask(url: URL, headers: Headers, signal: AbortSignal, shown: string): Promise<Response> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    // A redirect mostly leads to a page where people log in, and credentials are for one address.
    return await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.any([signal, timeout]) });
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted) throw new StateError(`no answer from ${shown} within ${TIMEOUT_MS / 1_000} s`, true);
    throw new StateError(unreachable(propertyOf(error, 'cause') ?? error, shown), true);
  }
}

function unreachable(cause: unknown, shown: string): string {
  const [first = cause] = (propertyOf(cause, 'errors') as unknown[] | undefined) ?? [];
  const code = propertyOf(cause, 'code') ?? propertyOf(first, 'code');
  if (code === 'ECONNREFUSED') return `nobody listens at ${shown}: does the app run, and at this port?`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the host of ${shown} is not known`;
  const why = propertyOf(first, 'message') ?? code;
  return `${shown} cannot be reached: ${safeText(maskCredentials(String(why)))}`;
}

function refusal({ status, headers }: Response, shown: string): StateError {
  switch (status) {
    case 401:
      return new StateError(`${shown} wants credentials (401): give them by -H 'Authorization: Bearer ...'`, false);
    case 403:
      return new StateError(
        `these credentials may not see ${shown} (403): the 'guards' of its dashboard decide`,
        false,
      );
    case 404:
      return new StateError(
        `there is no dashboard at ${shown} (404): expected the address of its page, with the option 'path' of ResilienceDashboardModule and the app's global prefix`,
        false,
      );
  }
  const location = headers.get('location');
  if (status >= 300 && status < 400) {
    const where = location === null ? '' : ` to ${safeText(maskCredentials(location))}`;
    return new StateError(`${shown} sends elsewhere${where} (${status}): it may want credentials, by -H`, false);
  }
  return new StateError(`${shown} answers ${status}`, status >= 500 || status === 429);
}

/** Whether it is what a dashboard says, as far as is read of it. */
function isState(value: unknown): value is DashboardState {
  const { instances, samples, timeline } = (value ?? {}) as Partial<Record<keyof DashboardState, unknown>>;
  const process = propertyOf(value, 'process');
  return (
    typeof propertyOf(process, 'host') === 'string' &&
    typeof propertyOf(value, 'now') === 'number' &&
    [instances, samples, timeline].every(Array.isArray) &&
    (instances as unknown[]).every((row) => typeof propertyOf(row, 'name') === 'string') &&
    (samples as unknown[]).every((sample) => Array.isArray(sample) && typeof sample[0] === 'number')
  );
}
