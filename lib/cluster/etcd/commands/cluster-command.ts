import { aName, isPlainObject, oneOf, type Expectation } from '../../../kernel/options/check.js';

/** What an operator orders of a breaker in all processes, until it ends or is taken back. */
export interface ClusterCommand {
  readonly state: 'forcedOpen' | 'disabled';
  readonly reason: string;
  readonly author: string;
  /** When it ends, epoch ms. */
  readonly until: number;
}

/** The fields of a command. */
export const COMMAND_FIELDS: readonly (keyof ClusterCommand)[] = ['state', 'reason', 'author', 'until'];

/** How long a command holds where nobody says otherwise, ms. */
export const COMMAND_MS = 15 * 60_000;
/** How long a command can hold at most, ms: what is forgotten must end by itself. */
export const LONGEST_COMMAND_MS = 24 * 60 * 60_000;

/** No more of a text of somebody's is shown, in characters. */
const LONGEST_TEXT = 500;

/** Where commands stand, below the prefix of the fleet: one key a breaker. */
export const COMMANDS = 'commands/';
/** Where it is counted how often a breaker was reset: one key a breaker. */
export const RESETS = 'resets/';

const states = oneOf('forcedOpen', 'disabled');
const moment: Expectation = {
  expected: 'a moment in epoch ms',
  accepts: (value) => typeof value === 'number' && Number.isFinite(value),
};

/** What a key or the disk holds; undefined: no command. Fields that this version does not know are passed over. */
export function readCommand(value: unknown): ClusterCommand | undefined {
  if (!isPlainObject(value)) return undefined;
  const { state, reason, author, until } = value;
  const isCommand = states.accepts(state) && aName.accepts(reason) && aName.accepts(author) && moment.accepts(until);
  return isCommand ? ({ state, reason, author, until } as ClusterCommand) : undefined;
}

/** The value of a key as data; undefined: it is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Why a breaker is in its state, for logs and errors. */
export function reasonOf({ state, reason, author, until }: ClusterCommand): string {
  const what = state === 'forcedOpen' ? 'forced open' : 'disabled';
  return `${what} in all processes by ${oneLine(author)}, until ${momentText(until)}: ${oneLine(reason)}`;
}

/** What somebody has written into etcd, as it may stand in a line of the log. */
export function oneLine(text: string): string {
  const line = text.replace(/\p{Cc}+/gu, ' ');
  return line.length <= LONGEST_TEXT ? line : `${line.slice(0, LONGEST_TEXT)}...`;
}

/** To the second. */
export function momentText(epochMs: number): string {
  const date = new Date(epochMs);
  return Number.isNaN(date.getTime()) ? String(epochMs) : `${date.toISOString().slice(0, 19)}Z`;
}
