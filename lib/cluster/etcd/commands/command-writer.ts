import {
  aName,
  checkOptions,
  checkValue,
  isPlainObject,
  numberUpTo,
  oneOf,
  show,
  type Shape,
} from '../../../kernel/options/check.js';
import type { EtcdClient } from '../client/etcd-client.js';
import { COMMAND_MS, COMMANDS, LONGEST_COMMAND_MS, parsed, readCommand, RESETS } from './cluster-command.js';
import type { ClusterCommand } from './cluster-command.js';

/**
 * What is ordered of a breaker in all processes.
 *
 * @publicApi
 */
export interface CommandOptions {
  /** All calls are refused, all are let through, or the command that was there is taken back. */
  state: 'forcedOpen' | 'disabled' | 'normal';
  /** Why, for whoever reads logs. */
  reason: string;
  /** Who is to be asked about it. */
  author: string;
  /** How long it holds, ms: at least 1 s, at most 24 h. @default 900_000, a quarter of an hour */
  for?: number;
}

/**
 * Who resets a breaker, and why.
 *
 * @publicApi
 */
export interface ResetOptions {
  reason: string;
  author: string;
}

/** A count that others change all the time is read anew so many times. */
const TRIES = 5;

const states = oneOf('forcedOpen', 'disabled', 'normal');
const SIGNED = { reason: aName, author: aName };
const duration = numberUpTo(LONGEST_COMMAND_MS, 'a number of milliseconds from 1000 to 86400000', (ms) => ms >= 1_000);

/** Writes commands of operators into etcd. Nothing is sent twice: one that fails may have come through all the same. */
export class CommandWriter {
  /** @param wallNow epoch milliseconds. */
  constructor(
    private readonly client: EtcdClient,
    private readonly prefix: string,
    private readonly wallNow: () => number,
  ) {}

  /**
   * Puts a command in the place of the one before, on a lease of its own that nobody renews.
   *
   * @throws ResilienceConfigurationError for wrong options; what etcd says.
   */
  async command(name: string, options: CommandOptions): Promise<void> {
    check<CommandOptions>(`EtcdService.command(${show(name)})`, name, options, {
      state: states,
      ...SIGNED,
      for: duration,
    });
    const { state, reason, author, for: ms = COMMAND_MS } = options;
    const key = `${this.prefix}${COMMANDS}${name}`;
    if (state === 'normal') {
      await this.client.delete(key);
      return;
    }
    const command: ClusterCommand = { state, reason, author, until: Math.round(this.wallNow() + ms) };
    const lease = this.client.lease(Math.ceil(ms / 1_000));
    // It ends by itself, or with the request: nobody keeps it.
    lease.on('lost', () => undefined);
    try {
      await this.client.put(key, JSON.stringify(command), await lease.grant());
    } finally {
      lease.release();
    }
  }

  /** Closes a breaker in all processes that hear of it now. @throws as {@link command} */
  async reset(name: string, options: ResetOptions): Promise<void> {
    check<ResetOptions>(`EtcdService.reset(${show(name)})`, name, options, SIGNED);
    const { author, reason } = options;
    const key = `${this.prefix}${RESETS}${name}`;
    for (let tries = 0; tries < TRIES; tries++) {
      const before = await this.client.get(key);
      const text = JSON.stringify({ count: countIn(before?.value) + 1, author, reason, at: this.wallNow() });
      const done = await this.client.putIf(key, text, { modRevision: before?.modRevision ?? null });
      if (done !== undefined) return;
    }
    throw new Error(`${key} in etcd is changed by others all the time`);
  }

  /** The commands in force, by name. What is no command is left out. */
  async list(): Promise<Map<string, ClusterCommand>> {
    const prefix = `${this.prefix}${COMMANDS}`;
    const { entries } = await this.client.list(prefix);
    const commands = new Map<string, ClusterCommand>();
    for (const { key, value } of entries) {
      const command = readCommand(parsed(value));
      if (command !== undefined) commands.set(key.slice(prefix.length), command);
    }
    return commands;
  }
}

/** All but a duration must be there. */
function check<O extends object>(place: string, name: string, options: O, shape: Shape<O>): void {
  checkValue(place, 'the name of the breaker', name, aName);
  checkOptions<O>(place, options, shape);
  for (const key of Object.keys(shape) as (keyof O & string)[])
    if (key !== 'for') checkValue(place, `option '${key}'`, options[key], shape[key]);
}

/** What stands there may be anything. */
function countIn(text: string | undefined): number {
  const value = text === undefined ? undefined : parsed(text);
  return isPlainObject(value) && Number.isSafeInteger(value.count) ? (value.count as number) : 0;
}
