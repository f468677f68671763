import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { propertyOf } from '../errors/foreign.js';
import { maskCredentials } from '../errors/mask-credentials.js';
import { EXIT, type CommandContext } from './shell/command.js';
import type { Terminal } from './shell/terminal.js';
import { safeText } from './shell/safe-text.js';

/** What the command line runs in. */
export interface Surroundings {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gives a signal that aborts when the user interrupts the command. Until somebody asks, an interruption ends the process. */
  readonly interrupted: () => AbortSignal;
}

interface Group {
  /** What it does, in a line. */
  readonly summary: string;
  /** Loads it, and what it needs, and runs it. @returns the exit code. */
  run(args: readonly string[], surroundings: Surroundings): Promise<number>;
  /** The package that a user may lack. */
  readonly needs?: string;
}

const GROUPS: Readonly<Record<string, Group>> = {
  ls: {
    summary: "what an app's policies do now: states, calls, latencies",
    run: async (args, surroundings) => (await import('./ls/run-ls.js')).runLs(args, contextOf(surroundings)),
  },
  data: {
    summary: 'copies, backs up, verifies and inspects the stores of an app',
    run: async (args, surroundings) => (await import('./data/run-data.js')).runData(args, contextOf(surroundings)),
  },
  cluster: {
    summary: 'opens, disables and resets the breakers of all processes of a fleet, over etcd',
    needs: 'etcd3',
    run: async (args, { terminal, env }) => {
      const { runCluster } = await import('../cluster/etcd/cli/run.js');
      return runCluster(args, { terminal, env, readFile: (path) => readFileSync(path) });
    },
  },
};

const HELP = `nestjs-bulwark <command> [arguments]: the policies of an app, and its data, from outside

${Object.entries(GROUPS)
  .map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}`)
  .join('\n')}

Examples:
  nestjs-bulwark ls http://localhost:3000/resilience --watch
  nestjs-bulwark data verify file:./data
  nestjs-bulwark cluster open payments --reason "the bank moves" --hosts http://10.0.0.1:2379

nestjs-bulwark <command> --help says more; --version says which version this is. Exit codes: 0 done, 1 failed or different,
2 called wrongly, 130 interrupted by Ctrl-C, 143 ended.
`;

/** Runs the command that the arguments name. @returns the exit code. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const [name, ...rest] = args;
  const { out, err } = surroundings.terminal;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    (name === undefined ? err : out).write(HELP);
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  if (name === '--version' || name === '-v') {
    out.write(`${versionOfPackage()}\n`);
    return EXIT.ok;
  }
  const group = Object.hasOwn(GROUPS, name) ? GROUPS[name] : undefined;
  if (group === undefined) {
    const known = Object.keys(GROUPS).join(', ');
    const hint = ['copy', 'backup', 'restore', 'verify', 'inspect'].includes(name)
      ? `; it is 'nestjs-bulwark data ${name}'`
      : '';
    err.write(`there is no command '${safeText(maskCredentials(name))}'; expected one of: ${known}${hint}\n`);
    return EXIT.usage;
  }
  try {
    return await group.run(rest, surroundings);
  } catch (error) {
    const isMissing = propertyOf(error, 'code') === 'ERR_MODULE_NOT_FOUND' && group.needs !== undefined;
    const hint = isMissing ? `; it needs the package ${group.needs}: npm install ${group.needs}` : '';
    err.write(`nestjs-bulwark ${name} failed: ${safeText(maskCredentials(messageOf(error)))}${hint}\n`);
    return EXIT.failed;
  }
}

function contextOf({ terminal, env, interrupted }: Surroundings): CommandContext {
  return { terminal, env, signal: interrupted() };
}

function versionOfPackage(): string {
  return (createRequire(import.meta.url)('nestjs-bulwark/package.json') as { version: string }).version;
}

function messageOf(error: unknown): string {
  const message = propertyOf(error, 'message');
  return typeof message === 'string' ? message : String(error);
}
