import type { OperatorActionEvent, ResilienceEvent, ShedEvent } from '../../../events/resilience-event.js';
import { show } from '../../../kernel/options/check.js';
import { oneLine } from '../one-line.js';

/** A change as the timeline tells it. */
export interface Told {
  readonly type: string;
  readonly name: string;
  readonly policy: string;
  /** One line, without a word of an upstream's errors: whoever sees the page may see it. */
  readonly text: string;
  readonly level: 'info' | 'warn';
  /** What is alike is one entry a minute... */
  readonly kind: string;
  /** ...save for so many of them; later ones are counted on the last entry, which then says what they say. */
  readonly own: number;
  /** The name that all keys of one have in common, and what is said of the many. */
  readonly group?: { readonly name: string; readonly text: string; readonly kind: string } | undefined;
}

/** So many changes of one state have entries of their own within a minute: the last entry says how it is now. */
const CHANGES = 10;
const LONGEST_TEXT = 300;
const LONGEST_NAME = 600;

/** undefined: the timeline does not tell it. */
export function toldOf(event: ResilienceEvent): Told | undefined {
  switch (event.type) {
    case 'stateChange': {
      const { from, to, reason, metricsOnly } = event;
      const would = metricsOnly === true ? ' (only watched)' : '';
      const all = nameOfAllKeys(event.name);
      return told(event, `${from} -> ${to}${would}: ${reason}`, {
        warns: to === 'open' || to === 'forcedOpen' || to === 'disabled',
        own: CHANGES,
        group:
          all === undefined
            ? undefined
            : { name: all, text: `more keys: ${to}${would}`, kind: kindOf(event.type, all, to) },
      });
    }
    case 'ruleChange': {
      const { path, from, to, by, source } = event;
      const text = `rule ${path}: ${show(from)} -> ${show(to)}, by ${by} (${source})`;
      return told(event, text, { about: path, own: CHANGES });
    }
    case 'shed':
      return told(event, `incoming requests are turned away: ${figuresOf(event)}`, {
        warns: true,
        about: event.reason,
      });
    case 'retrySuppressed': {
      // Nothing has failed that the caller still waits for.
      if (event.reason === 'aborted') return undefined;
      const { reason, attempts, policy } = event;
      return told(event, `${policy}: no other attempt after ${attempts}: ${reason}`, { warns: true, about: reason });
    }
    case 'keysExhausted':
      return told(event, `all ${event.maxKeys} keys are in use (maxKeys)`, { warns: true });
    case 'timeout':
      if (event.limitOf === undefined) return undefined;
      return told(event, `cut after ${event.limitMs} ms by the breaker's own option 'timeout'`, { warns: true });
    case 'store':
      return told({ ...event, name: event.store }, event.up ? 'is back' : 'is away: each process decides by itself', {
        warns: !event.up,
        own: CHANGES,
      });
    case 'limitChange':
      return told(event, `the limit is ${Math.round(event.limit)} (it was ${Math.round(event.before)})`, {});
    case 'operatorAction': {
      const text = actionText(event);
      if (event.outcome === 'done') return told(event, text, { about: 'done', own: CHANGES });
      // Whoever may send requests may send very many that are refused.
      return told(event, text, { warns: true, about: `${event.action} ${event.outcome}` });
    }
    default:
      return undefined;
  }
}

/** The kind of an entry that others of its type repeat, such as of keys that find no room. */
export function kindOf(type: string, name: string, about = ''): string {
  return `${type} ${about} ${name}`;
}

interface More {
  readonly warns?: boolean;
  /** What tells it from others of its type and name. */
  readonly about?: string;
  readonly own?: number;
  readonly group?: Told['group'];
}

function told({ type, name, policy }: ResilienceEvent, text: string, more: More): Told {
  const { warns = false, about, own = 1, group } = more;
  return {
    type,
    name: oneLine(name, LONGEST_NAME),
    policy,
    text: oneLine(text, LONGEST_TEXT),
    level: warns ? 'warn' : 'info',
    kind: kindOf(type, name, about),
    own,
    group,
  };
}

function actionText({ action, by, reason, outcome, scope }: OperatorActionEvent): string {
  const where = scope === 'fleet' ? ' in all processes' : '';
  const why = reason === undefined ? '' : `, reason: ${reason}`;
  return `${by}: ${action ?? 'an action'}${where} ${outcome === 'done' ? 'done' : `refused (${outcome})`}${why}`;
}

function figuresOf({ reason, details }: ShedEvent): string {
  const { active, limit } = (details ?? {}) as { active?: number; limit?: number };
  return active === undefined ? reason : `${reason}, ${active} worked on, limit ${limit}`;
}

/** `payments[*]` for `payments[acme]`; undefined for a name without a key. */
function nameOfAllKeys(name: string): string | undefined {
  const at = name.endsWith(']') ? name.indexOf('[') : -1;
  return at < 0 ? undefined : `${name.slice(0, at)}[*]`;
}
