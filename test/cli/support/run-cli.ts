import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { builtCli } from '../../sample/support/built-sample.js';

/** The command line as its users have it: a process of its own. */
export class CliProcess {
  out = '';
  err = '';
  readonly #ended: Promise<unknown[]>;

  private constructor(readonly process: ChildProcess) {
    process.stdout?.setEncoding('utf8').on('data', (text: string) => (this.out += text));
    process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.err += text));
    this.#ended = once(process, 'close');
  }

  static async start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliProcess> {
    const child = spawn(process.execPath, [await builtCli(), ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    return new CliProcess(child);
  }

  /** @returns its exit code, or the signal that ended it. */
  async ended(): Promise<unknown> {
    const [code, signal] = await this.#ended;
    return signal ?? code;
  }
}

export interface CliResult {
  readonly code: unknown;
  readonly out: string;
  readonly err: string;
}

/** Runs a command to its end. */
export async function cli(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<CliResult> {
  const run = await CliProcess.start(args, env);
  const code = await run.ended();
  return { code, out: run.out, err: run.err };
}

/** Runs `nestjs-bulwark data` to its end. */
export function dataCli(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<CliResult> {
  return cli(['data', ...args], env);
}
