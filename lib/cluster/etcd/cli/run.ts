import { userInfo } from 'node:os';
import { EXIT, noMore, readArguments, required, UsageError } from '../../../cli/shell/command.js';
import { ResilienceConfigurationError } from '../../../errors/configuration.error.js';
import { instanceOf } from '../../../errors/foreign.js';
import { maskCredentials } from '../../../errors/mask-credentials.js';
import { textOf } from '../../../kernel/error-text.js';
import { EtcdClient } from '../client/etcd-client.js';
import { momentText, type ClusterCommand } from '../commands/cluster-command.js';
import { CommandWriter } from '../commands/command-writer.js';
import { CONNECTION_HELP, CONNECTION_OPTIONS, connectionOf, type ConnectionValues } from './connection.js';
import type { ClusterContext } from './context.js';
import { durationOf } from './duration.js';

const HELP = `nestjs-bulwark cluster <command> [<breaker>] --hosts <list> [options]: the breakers of all processes of a fleet

  open <breaker>     refuses every call, for a while
  disable <breaker>  lets every call through and counts nothing, for a while
  normal <breaker>   takes back what open or disable said
  reset <breaker>    closes it once, where it is open now, and forgets what it has counted
  list               shows the commands in force

  --reason <text>    why; open, disable, normal and reset need it
  --author <name>    who; the user of this machine where it is not given
  --for <duration>   how long open and disable hold: 90s, 15m, 2h (15m; at most 24h)
${CONNECTION_HELP}

Examples:
  nestjs-bulwark cluster open payments --for 30m --reason "the bank moves" --hosts http://10.0.0.1:2379
  nestjs-bulwark cluster list --json --hosts http://10.0.0.1:2379

Exit codes: 0 done, 1 failed, 2 called wrongly. What failed may have come through all the same: list shows it.
`;

const OPTIONS = {
  ...CONNECTION_OPTIONS,
  for: { type: 'string' },
  reason: { type: 'string' },
  author: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

const STATES = { open: 'forcedOpen', disable: 'disabled', normal: 'normal' } as const;

/** Runs a command for a fleet. @returns the exit code. */
export async function runCluster(args: readonly string[], context: ClusterContext): Promise<number> {
  const { out, err } = context.terminal;
  if (args.length === 0 || args.includes('--help') || args.includes('-h')) {
    (args.length === 0 ? err : out).write(HELP);
    return args.length === 0 ? EXIT.usage : EXIT.ok;
  }
  const [command = '', ...rest] = args;
  try {
    return await run(command, rest, context);
  } catch (error) {
    const isUsage = instanceOf(error, UsageError) || instanceOf(error, ResilienceConfigurationError);
    const hint = isUsage ? '\nnestjs-bulwark cluster --help says how it is called' : '';
    err.write(`${maskCredentials(command)}${isUsage ? '' : ' failed'}: ${maskCredentials(textOf(error))}${hint}\n`);
    return isUsage ? EXIT.usage : EXIT.failed;
  }
}

async function run(command: string, args: readonly string[], context: ClusterContext): Promise<number> {
  const { values, positionals } = readArguments({ args: [...args], allowPositionals: true, options: OPTIONS });
  const { out } = context.terminal;
  const [breaker, ...surplus] = positionals;
  if (command === 'list') {
    noMore(positionals);
    const commands = await withWriter(values, context, (writer) => writer.list());
    out.write(values.json ? `${JSON.stringify(Object.fromEntries(commands), undefined, 2)}\n` : tableOf(commands));
    return EXIT.ok;
  }
  if (command !== 'reset' && !isState(command))
    throw new UsageError('there is no such command; expected one of: open, disable, normal, reset, list');
  noMore(surplus);
  const name = required('the name of the breaker', breaker);
  const signed = { reason: required('--reason', values.reason), author: values.author ?? userInfo().username };
  const duration = values.for === undefined ? {} : { for: durationOf(values.for) };
  if (values.for !== undefined && (command === 'normal' || command === 'reset'))
    throw new UsageError(`--for: ${command} has no duration`);
  await withWriter(values, context, (writer) =>
    isState(command)
      ? writer.command(name, { state: STATES[command], ...signed, ...duration })
      : writer.reset(name, signed),
  );
  out.write(`${name}: ${DONE[command]}\n`);
  return EXIT.ok;
}

const DONE = {
  open: 'forced open in all processes',
  disable: 'disabled in all processes',
  normal: 'goes by itself again',
  reset: 'reset in all processes',
} as const;

function isState(command: string): command is keyof typeof STATES {
  return Object.hasOwn(STATES, command);
}

async function withWriter<T>(
  values: ConnectionValues & { readonly prefix: string },
  context: ClusterContext,
  work: (writer: CommandWriter) => Promise<T>,
): Promise<T> {
  if (!values.prefix.endsWith('/')) throw new UsageError("--prefix: expected a text that ends with '/'");
  const client = new EtcdClient(connectionOf(values, context));
  try {
    return await work(new CommandWriter(client, values.prefix, Date.now));
  } finally {
    client.close();
  }
}

function tableOf(commands: ReadonlyMap<string, ClusterCommand>): string {
  if (commands.size === 0) return 'no commands are in force\n';
  const rows = [
    ['breaker', 'state', 'until', 'author', 'reason'],
    ...[...commands].map(([name, { state, until, author, reason }]) => [
      name,
      state,
      momentText(until),
      author,
      reason,
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return `${rows.map(line).join('\n')}\n`;
}
