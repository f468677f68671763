import { maskCredentials } from '../errors/mask-credentials.js';
import { textOf } from '../data/port/error-text.js';
import { EXIT, UsageError, type Command, type CommandContext } from './command.js';
import { backup } from './commands/backup.js';
import { copy } from './commands/copy.js';
import { inspect } from './commands/inspect.js';
import { restore } from './commands/restore.js';
import { verify } from './commands/verify.js';

const COMMANDS = new Map<string, Command>(Object.entries({ copy, backup, restore, verify, inspect }));

const HELP = `bulwark-data <command> [arguments]: the data of nestjs-bulwark, from outside the app

${[...COMMANDS].map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}`).join('\n')}

bulwark-data <command> --help says more. Results go to standard output, progress to standard error. Exit codes: 0 done,
1 failed or different, 2 called wrongly, 130 interrupted.
`;

/** Runs the command that the arguments name. @returns the exit code. */
export async function run(args: readonly string[], context: CommandContext): Promise<number> {
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
    out.write(`bulwark-data ${command.help}\n`);
    return EXIT.ok;
  }
  try {
    return await command.run(rest, context);
  } catch (error) {
    return failed(name, command, error, context);
  }
}

function failed(name: string, command: Command, error: unknown, { terminal, signal }: CommandContext): number {
  if (error instanceof UsageError) {
    terminal.err.write(`${name}: ${error.message}\nbulwark-data ${name} --help says how it is called\n`);
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
