import { Logger, type LoggerService } from '@nestjs/common';
import { setMaxListeners } from 'node:events';
import { maskCredentials } from '../../errors/mask-credentials.js';
import { textOf } from '../../data/port/error-text.js';
import { EXIT, UsageError, type Command, type CommandContext } from '../shell/command.js';
import type { Terminal } from '../shell/terminal.js';
import { backup } from './commands/backup.js';
import { copy } from './commands/copy.js';
import { inspect } from './commands/inspect.js';
import { restore } from './commands/restore.js';
import { verify } from './commands/verify.js';

const COMMANDS = new Map<string, Command>(Object.entries({ copy, backup, restore, verify, inspect }));

const HELP = `nestjs-bulwark data <command> [arguments]: the data of nestjs-bulwark, from outside the app

${[...COMMANDS].map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}`).join('\n')}

Examples:
  nestjs-bulwark data verify file:./data
  nestjs-bulwark data copy --from file:./data --to env:DATABASE_URL
  nestjs-bulwark data backup --from file:./data --to ./backup-monday

nestjs-bulwark data <command> --help says more. Results go to standard output, progress to standard error. Exit codes:
0 done, 1 failed or different, 2 called wrongly, 130 interrupted.
`;

/** Runs the command for stores that the arguments name. @returns the exit code. */
export async function runData(args: readonly string[], context: CommandContext): Promise<number> {
  const [name, ...rest] = args;
  const { out, err } = context.terminal;
  if (name === undefined || isHelp(name)) {
    (name === undefined ? err : out).write(HELP);
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  const command = COMMANDS.get(name);
  if (command === undefined) {
    err.write(`there is no command '${maskCredentials(name)}'; expected one of: ${[...COMMANDS.keys()].join(', ')}\n`);
    return EXIT.usage;
  }
  if (rest.some(isHelp)) {
    out.write(`nestjs-bulwark data ${command.help}\n`);
    return EXIT.ok;
  }
  Logger.overrideLogger(new MessageLogger(err));
  // Each write that is under way listens.
  setMaxListeners(0, context.signal);
  try {
    return await command.run(rest, context);
  } catch (error) {
    return failed(name, command, error, context);
  }
}

/** What the data services log belongs to the messages: standard output is for results. */
class MessageLogger implements LoggerService {
  constructor(private readonly err: Terminal['err']) {}

  log(): void {}

  warn(message: unknown): void {
    this.err.write(`${String(message)}\n`);
  }

  error(message: unknown): void {
    this.err.write(`${String(message)}\n`);
  }
}

function failed(name: string, command: Command, error: unknown, { terminal, signal }: CommandContext): number {
  if (error instanceof UsageError) {
    terminal.err.write(`${name}: ${error.message}\nnestjs-bulwark data ${name} --help says how it is called\n`);
    return EXIT.usage;
  }
  if (signal.aborted) {
    terminal.err.write(`${name} was interrupted: ${command.interrupted}\n`);
    return EXIT.failed;
  }
  terminal.err.write(`${name} failed: ${textOf(error)}\n`);
  return EXIT.failed;
}

function isHelp(argument: string): boolean {
  return argument === '--help' || argument === '-h';
}
