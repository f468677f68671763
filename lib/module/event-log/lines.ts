import type {
  CircuitState,
  KeysExhaustedEvent,
  ResilienceEvent,
  RetrySuppressedEvent,
  StateChangeEvent,
  StoreEvent,
  TimeoutEvent,
} from '../../events/resilience-event.js';
import { isRefusal } from '../../errors/resilience.exception.js';
import { describeError } from '../../kernel/error-text.js';
import type { Level } from './log-line.js';
import type { LogFields } from './log-fields.js';
import type { Saying } from './repeats.js';

/** What is said of each state; people look for the words. */
const STATES: Readonly<Record<CircuitState, { readonly level: Level; readonly now: string; readonly would: string }>> =
  {
    open: { level: 'warn', now: 'is open', would: 'would be open' },
    forcedOpen: { level: 'warn', now: 'is forced open', would: 'is forced open' },
    halfOpen: { level: 'log', now: 'is half-open', would: 'would be half-open' },
    closed: { level: 'log', now: 'is closed', would: 'would be closed' },
    disabled: { level: 'warn', now: 'is disabled', would: 'is disabled' },
  };

export function ofStateChange(event: StateChangeEvent): Saying {
  const { name, from, to, reason, metricsOnly, byHand, at } = event;
  const { level, now, would } = STATES[to];
  const what = `circuit breaker ${metricsOnly === true ? would : now}`;
  const all = nameOfAllKeys(name);
  const group =
    all === undefined ? undefined : { name: `state ${to} ${all}`, again: `${all}: ${what}, other keys included` };
  const text = (): string => oneLine(`${name}: ${what} (it was ${from}): ${reason}`);
  return {
    kind: `state ${name}`,
    level,
    text,
    again: oneLine(`${name}: ${what} since ${timeOfDay(at)}: ${reason}; it has changed often`),
    fields: fieldsOf(event),
    state: byHand === true ? 'ordered' : 'changed',
    group,
  };
}

const NO_MORE: Readonly<Record<RetrySuppressedEvent['reason'], string>> = {
  maxAttempts: 'maxAttempts allows no more',
  notRetried: 'what it ended with is none that is retried',
  deadline: 'the time that is left does not reach for another',
  maxDuration: 'maxDuration allows no other',
  retryAfter: 'the dependency asks for a longer pause than maxRetryAfter',
  budget: "the retry budget is used up (option 'budget')",
  notRepeatable: 'the request may not be made twice',
  streamBegun: 'a part of the answer was given out already',
  callerRetries: 'whoever sent the request makes it again',
  aborted: 'the caller gave up',
  shutdown: 'the app is shutting down',
};

export function ofRetrySuppressed(event: RetrySuppressedEvent): Saying {
  const { name, policy, attempts, reason, error } = event;
  const why = NO_MORE[reason];
  const what = policy === 'hedge' ? 'no hedge' : 'not tried again';
  const text = (): string => {
    const last =
      error === undefined ? '' : `; at last: ${isRefusal(error) ? error.message : withoutName(describeError(error))}`;
    return oneLine(`${name}: ${what} after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}: ${why}${last}`);
  };
  const again = oneLine(`${name}: ${what}: ${why}`);
  return { kind: `${policy} ${reason} ${name}`, level: 'warn', text, again, fields: fieldsOf(event) };
}

export function kindOfKeys(name: string): string {
  return `keys ${name}`;
}

export function ofKeysExhausted(event: KeysExhaustedEvent): Saying {
  const { name, policy, maxKeys } = event;
  const whose = policy === 'rateLimit' ? 'a rate limit' : 'a circuit breaker';
  const effect = policy === 'rateLimit' ? 'share one limit' : 'pass unjudged';
  const what = `${name}: calls of new keys ${effect}`;
  const text = (): string => `${what}, since all ${maxKeys} keys of ${whose} are in use (option 'maxKeys')`;
  return { kind: kindOfKeys(name), level: 'warn', text, again: what, fields: fieldsOf(event) };
}

export function ofBreakerTimeout(event: TimeoutEvent): Saying {
  const { name, limitMs } = event;
  const what = `${name}: cut after ${limitMs} ms by the time limit of its circuit breaker`;
  const how =
    "the breaker's option 'timeout' changes it (10000 ms by default, false: none), and @Timeout goes before it";
  const text = (): string => `${what}: ${how}`;
  return { kind: `breaker timeout ${name}`, level: 'warn', text, again: what, fields: fieldsOf(event) };
}

export function ofStore(event: StoreEvent): Saying {
  const { store, up, reason, at } = event;
  const what = up ? `${store} is back` : `${store} is away, and each process decides by itself`;
  const text = (): string => oneLine(`${what}: ${reason}`);
  const again = oneLine(`${what} since ${timeOfDay(at)}: ${reason}; that has changed often`);
  return { kind: `store ${store}`, level: up ? 'log' : 'warn', text, again, fields: fieldsOf(event), state: 'changed' };
}

/** Any event in one line. */
export function describeEvent({ type, name, policy, ...more }: ResilienceEvent): string {
  const { at: _at, ...figures } = more;
  const told = Object.entries(figures)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${key === 'error' ? describeError(value) : shown(value)}`);
  return oneLine([`${name}: ${policy} ${type}`, ...told].join(', '));
}

/** What an event says, without its time, which the logger has itself, and without errors, which may say anything. */
export function fieldsOf({ type, name, policy, ...more }: ResilienceEvent): LogFields {
  const { at: _at, ...rest } = more;
  const figures = Object.entries({ ...rest, ...('details' in rest ? rest.details : {}) });
  return { event: type, instance: name, policy, ...Object.fromEntries(figures.filter(([, value]) => isFigure(value))) };
}

function isFigure(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value) ?? String(value);
}

/** Who greps a log for errors looks for the word: what was only not repeated is none. What refuses has lines of its own. */
function withoutName(text: string): string {
  return text.replace(/^\w*(?:Error|Exception): /, '');
}

function timeOfDay(at: number): string {
  return `${new Date(at).toISOString().slice(11, 19)} UTC`;
}

/** Names have keys in them, and errors texts, that come from anywhere. */
function oneLine(text: string): string {
  return text.replace(/\s*[\r\n\u2028\u2029]\s*/g, ' ');
}

/** `payments[*]` for `payments[acme]`; undefined for a name without a key. */
function nameOfAllKeys(name: string): string | undefined {
  const at = name.endsWith(']') ? name.indexOf('[') : -1;
  return at < 0 ? undefined : `${name.slice(0, at)}[*]`;
}
