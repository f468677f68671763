import type { Script, Step } from './script.js';

/** What both engines show after a step, and what led there. */
export interface Moment {
  readonly script: Script;
  /** What was done; the app is shut down last, and whatever still runs then is ended. */
  readonly does: Step['does'];
  /** What each showed before the step, and shows now. */
  readonly before: Seen;
  readonly now: Seen;
  /** Whether an attempt waited for a slot before the step. */
  readonly queued: boolean;
  /** Whether the difference in question was there before, so that breakers may still tell of it. */
  readonly again: boolean;
}

/** The lines of the old engine, and of the new one. */
export type Seen = readonly [readonly string[], readonly string[]];

/** Something that the new engine does otherwise on purpose, or that nobody can count on. */
export interface Intended {
  readonly name: string;
  /** Whether it can be at work here. */
  holds(moment: Moment): boolean;
  /**
   * What is left to compare, which is all but that; undefined: it decides who runs, so that the engines go different
   * ways from here on, and only what is left in the end is compared.
   */
  readonly rest?: (lines: readonly string[]) => readonly string[];
}

const isEvent = (line: string): boolean => line.startsWith('event ');
const tells = (lines: readonly string[], type: string, ...words: string[]): boolean =>
  lines.some((line) => line.startsWith(`event { type: "${type}"`) && words.every((word) => line.includes(word)));
const oneTells = ({ now }: Moment, type: string, ...words: string[]): boolean =>
  now.some((lines) => tells(lines, type, ...words));

/** Those lines of which `first` says so come first; else the order stays. */
function firstThose(lines: readonly string[], first: (line: string) => boolean): string[] {
  return [...lines.filter(first), ...lines.filter((line) => !first(line))];
}

/** Lines that `of` one engine shows, and the other does not, or not as often. */
function only(of: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return of.filter((line) => {
    const found = left.indexOf(line);
    if (found >= 0) left.splice(found, 1);
    return found < 0;
  });
}

function same(lines: readonly string[] = [], others: readonly string[] = []): boolean {
  return lines.join('\n') === others.join('\n');
}

/** The lines that one of the engines does not show. */
function differing({ now: [old, now] }: Moment): string[] {
  return [...only(old, now), ...only(now, old)];
}

/** Whether a run has ended in the step, and so may have given back a slot. */
function runEnded({ before, now }: Moment): boolean {
  return now.some((lines, engine) =>
    lines.some((line) => {
      if (!line.startsWith('run ') || line.includes(': running')) return false;
      const id = line.slice(0, line.indexOf(' of '));
      const earlier = before[engine as 0 | 1].find((other) => other.startsWith(`${id} of `));
      return earlier === undefined || earlier.includes(': running');
    }),
  );
}

/** Whether more wanted a slot in the step than there were: one waited, or was refused. */
function contended(moment: Moment): boolean {
  const waits = moment.now.some((lines) => lines.some((line) => /^bulkhead .*, [1-9]\d* wait$/.test(line)));
  return moment.queued || waits || oneTells(moment, 'refused', 'code: "BULKHEAD_FULL"');
}

/** The policy that tells a line; undefined: it is no event. */
function policyOf(line: string): string | undefined {
  return /^event \{ type: "\w+", name: "[^"]*", policy: "(\w+)"/.exec(line)?.[1];
}

const ofBreaker = (line: string): boolean => line.startsWith('breaker ') || policyOf(line) === 'circuitBreaker';
/** Whether it tells of what is around a shared run, or of the answer that stands in. */
const ofCallOutside = (line: string): boolean => {
  const policy = policyOf(line);
  return policy === 'recover' || policy === 'fallback' || (policy === 'timeout' && line.includes('scope: "total"'));
};

/**
 * A slot that comes free goes on in the same pass: to who waits, or it is there for who asks next. The old engine took
 * several turns for it, in which came whoever asked at once: a retry without a pause, or the call around the one that
 * had ended. Where both want that slot in one turn, it decides who runs.
 */
const FREED_SLOT: Intended = {
  name: 'a freed slot is given on at once',
  holds: (moment) => {
    const { stack, manners } = moment.script;
    if (stack.bulkhead === undefined || !runEnded(moment)) return false;
    // A hedge of the outer call may have come, waited and begun in one step.
    const outerCame = manners.includes('nests') && oneTells(moment, 'hedge');
    if (!contended(moment) && !outerCame) return false;
    return oneTells(moment, 'retry', 'delayMs: 0') || manners.includes('nests');
  },
};

/** A first attempt pays into the budget when it begins; with the old engine one that had waited paid at its end. */
const PAID_WHEN_BEGUN: Intended = {
  name: 'who has waited pays the budget when it begins',
  holds: ({ script: { stack }, now: [old, now] }) => {
    if (stack.bulkhead === undefined && stack.rateLimit?.['onLimit'] !== 'queue') return false;
    return tells(only(old, now), 'retrySuppressed', 'reason: "budget"') && tells(only(now, old), 'retry');
  },
};

/**
 * A shutdown cuts what somebody holds the signal of. The old engine did not do so for the call from which the kind of
 * a method was learned: it cut it where nobody had asked for the signal, and let it go on where somebody had. Behind a
 * hedge that shows when the run ends of which it knew no more.
 */
const LEARNING_CALL: Intended = {
  name: 'a shutdown cuts a learning call as any other',
  holds: (moment) => {
    const { script, does, before, now } = moment;
    const { stack, signal, manners } = script;
    if (script.kind !== 'learned' || !now[1].some((line) => line === 'closed')) return false;
    // In one of the engines nothing has become of it.
    const late = does !== 'shut down' && stack.hedge !== undefined;
    const [changed, unchanged] = signal || late ? ([1, 0] as const) : ([0, 1] as const);
    if (does !== 'shut down' && !late) return false;
    const calls = only(now[unchanged], now[changed]).filter((line) => line.startsWith('call '));
    // There is one for each method, and with it those who share its run.
    const most = stack.coalesce !== undefined ? Infinity : manners.includes('nests') ? 2 : 1;
    return calls.length <= most && calls.every((line) => before[unchanged].includes(line));
  },
};

/** A deadline that was inherited bounds a shared run of which a kind was learned as it bounds any other. */
const LEARNING_INHERITS: Intended = {
  name: 'a shared run from which a kind is learned inherits a deadline',
  holds: ({ script: { kind, stack, manners }, now: [old, now] }) => {
    if (kind !== 'learned' || stack.coalesce === undefined || !manners.includes('nests')) return false;
    const timeless = (lines: readonly string[]): string[] => lines.map((line) => line.replace(/, [\d.]+ ms left/, ''));
    const retried = tells(only(now, old), 'retrySuppressed', 'reason: "deadline"') && tells(only(old, now), 'retry');
    return retried || same(timeless(old), timeless(now));
  },
};

/** A run that is shared ends apart from those who wait for it: which of them tells first in an instant is open. */
const SHARED_RUN: Intended = {
  name: 'a shared run and its caller end in one instant',
  holds: ({ script }) => script.stack.coalesce !== undefined,
  rest: (lines) => firstThose(lines, ofCallOutside),
};

/** What a method has given at once that has not said its kind is counted beside its answer. */
const COUNTED_BESIDE: Intended = {
  name: 'what taught nothing is counted beside its answer',
  holds: ({ script: { kind }, does }) => kind === 'learned' && does === 'call',
  rest: (lines) => firstThose(lines, ofCallOutside),
};

/** An order for all breakers of a name reaches one after the other; a wait that it ends has ended in that pass. */
const EACH_BREAKER: Intended = {
  name: 'an order reaches the breakers of a name one by one',
  holds: ({ script, does }) => does === 'order' && script.stack.circuitBreaker?.keyed === true,
  rest: (lines) => {
    const nameOf = (line: string): string => /name: "([^"]*)"/.exec(line)?.[1] ?? '';
    const events = lines
      .filter(isEvent)
      .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0));
    return [...lines.filter((line) => !isEvent(line)), ...events];
  },
};

/**
 * Of attempts beside each other that one cut ends, the newest ends first, so that none of them is given a slot of
 * another. A breaker that trips on one of them has not counted those after it, and so has other latencies.
 */
const NEWEST_CUT_FIRST: Intended = {
  name: 'a cut ends the newest of attempts beside each other first',
  holds: (moment) =>
    moment.script.stack.hedge !== undefined &&
    (moment.again || (oneTells(moment, 'timeout') && oneTells(moment, 'failure'))),
  rest: (lines) => lines.map((line) => (line.startsWith('breaker ') ? line.replace(/ percentiles: .*$/, '') : line)),
};

/** Which of two calls, one inside the other, is cut first by a shutdown follows from which of them ran first. */
const NESTED_AT_SHUTDOWN: Intended = {
  name: 'a shutdown cuts an inner call or the one around it first',
  holds: ({ script: { manners }, does, again }) => manners.includes('nests') && (again || does === 'shut down'),
  rest: (lines) => lines.map((line) => line.replaceAll('Service.inner', 'Service.call')),
};

/** A call that the limit of the call around it has cut does not time out by itself in the same instant. */
const TIMED_OUT_ONCE: Intended = {
  name: 'a call that was cut has no timeout of its own',
  holds: ({ script: { manners, stack }, now: [old, now] }) =>
    manners.includes('nests') && stack.timeout?.total !== undefined && old.length > now.length,
  rest: (lines) =>
    lines.filter((line, index) => !tells([line], 'timeout', 'scope: "total"') || lines.indexOf(line) === index),
};

/** Turns of a rate limit for two keys come by timers of their own; in one instant either may be first. */
const TURNS_OF_KEYS: Intended = {
  name: 'turns of two keys in one instant',
  holds: ({ script: { stack } }) => stack.rateLimit?.keyed === true && stack.rateLimit['onLimit'] === 'queue',
  rest: (lines) => lines.map((line) => line.replaceAll(/(last ?error: "?)Error: run [\d.]+/gi, '$1')).toSorted(),
};

/**
 * An attempt that is refused inside gives its place as a probe back in the same pass; with the old engine others came
 * before that, and were refused beside a free place.
 */
const PROBE_GIVEN_BACK: Intended = {
  name: 'who is refused inside gives back its place as a probe at once',
  holds: (moment) => {
    const [old, now] = moment.now;
    const refusedMore = tells(only(old, now), 'refused', 'code: "CIRCUIT_OPEN"', 'state: "halfOpen"');
    return refusedMore && [old, now].every((lines) => tells(lines, 'ignored', 'refused by a policy inside'));
  },
};

/** What stands in for a stream is given and ends; the old engine still cut it at the end of a shutdown, behind Recover. */
const STOOD_IN: Intended = {
  name: 'a shutdown does not cut what stands in for a stream',
  holds: ({ script: { kind, gives, stack }, does, now: [old, now] }) => {
    if (does !== 'shut down' || (stack.recover ?? stack.fallback) === undefined) return false;
    if (kind !== 'iterable' && (kind !== 'learned' || gives !== 'iterable')) return false;
    const cut = (line: string): boolean => line.startsWith('call ') && line.includes('rejected with ShutdownException');
    const stoodIn = (line: string): boolean => /^call .*: item /.test(line) && !cut(line);
    return only(old, now).every(cut) && only(now, old).every(stoodIn);
  },
};

/** What has become of a breaker before other rules came is told as it was under the rules of then. */
const UNDER_THE_RULES_OF_THEN: Intended = {
  name: 'a change of state before a rule is told under the rules of then',
  holds: ({ does }) => does === 'rules',
  rest: (lines) => lines.map((line) => (tells([line], 'stateChange') ? line.replace(', metricsOnly: true', '') : line)),
};

/** Two calls that end in one instant draw their pauses, or the open time of a breaker, in either order. */
const DRAWN_IN_ONE_INSTANT: Intended = {
  name: 'two calls draw their pauses in one instant',
  holds: (moment) => {
    const retries = moment.now.map((lines) => lines.filter((line) => tells([line], 'retry')));
    const several = retries.every(({ length }) => length > 1) || oneTells(moment, 'stateChange', 'to: "open"');
    // The same retries, but for the pause; what follows from that may show in the same step.
    const withoutPause = retries.map((lines) => lines.map((line) => line.replace(/delayMs: \d+\.\d+/, '')).toSorted());
    return several && retries.join() !== retries.toReversed().join() && same(withoutPause[0], withoutPause[1]);
  },
};

/** Of two waits that are over in one turn, each tells how many waited then: whichever is first counts the other. */
const IN_VAIN_TOGETHER: Intended = {
  name: 'two waits are over in one turn',
  holds: ({ now, again }) =>
    again || now.every((lines) => lines.filter((line) => tells([line], 'refused', 'BULKHEAD_FULL')).length > 1),
  rest: (lines) => lines.map((line) => line.replace(/(no slot came free.*) waiting: \d+/, '$1')),
};

/** One shared run may answer two attempts of a hedge in one instant: the first of them wins, and the other is cut. */
const ANSWERED_TOGETHER: Intended = {
  name: 'a shared run answers attempts beside each other in one instant',
  holds: (moment) => {
    const { stack, manners } = moment.script;
    const together = stack.hedge !== undefined && stack.coalesce !== undefined && manners.includes('nests');
    return together && oneTells(moment, 'ignored', 'a faster attempt answered') && differing(moment).every(ofBreaker);
  },
};

/** Those that leave the rest of the script comparable come first. */
export const INTENDED: readonly Intended[] = [
  SHARED_RUN,
  COUNTED_BESIDE,
  EACH_BREAKER,
  NEWEST_CUT_FIRST,
  NESTED_AT_SHUTDOWN,
  TIMED_OUT_ONCE,
  TURNS_OF_KEYS,
  IN_VAIN_TOGETHER,
  UNDER_THE_RULES_OF_THEN,
  STOOD_IN,
  FREED_SLOT,
  PAID_WHEN_BEGUN,
  LEARNING_CALL,
  LEARNING_INHERITS,
  PROBE_GIVEN_BACK,
  ANSWERED_TOGETHER,
  DRAWN_IN_ONE_INSTANT,
];
