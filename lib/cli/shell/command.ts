import { parseArgs, type ParseArgsConfig } from 'node:util';
import { maskCredentials } from '../../errors/mask-credentials.js';
import type { Terminal } from './terminal.js';

/** The exit codes of the command line, beside those of signals. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** What a command runs in. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the user interrupts the command. */
  readonly signal: AbortSignal;
}

/** One command of the command line. */
export interface Command {
  /** What it does, in a line. */
  readonly summary: string;
  /** How it is called, and what its arguments mean. */
  readonly help: string;
  /** What an interruption has left behind, and how to go on. */
  readonly interrupted: string;

  /** @returns the exit code; what is thrown is shown as a message. */
  run(args: readonly string[], context: CommandContext): Promise<number>;
}

/** The command was called in a way that it does not understand. */
export class UsageError extends Error {}

/**
 * Reads a command's arguments.
 *
 * @throws UsageError
 */
export function readArguments<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError(maskCredentials((error as Error).message));
  }
}

/** @throws UsageError where an argument is missing. */
export function required(name: string, value: string | undefined): string {
  if (value === undefined || value === '') throw new UsageError(`${name} is missing`);
  return value;
}

/** @throws UsageError where there is more than was asked for. */
export function noMore(positionals: readonly string[]): void {
  const [surplus] = positionals;
  if (surplus !== undefined) throw new UsageError(`'${maskCredentials(surplus)}' is one argument too many`);
}
