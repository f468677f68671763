import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const START_MS = 30_000;
const STOP_MS = 10_000;

/** What is started. */
export interface ServerCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** As whom; undefined: as the user of the tests. */
  readonly uid?: number | undefined;
}

/** A server of a test's own, on a free port and in a temporary folder. */
export abstract class OwnServer {
  #process: ChildProcess | undefined;

  constructor(
    protected readonly folder: string,
    readonly port: number,
  ) {}

  protected abstract command(): ServerCommand;

  /** Resolves when it serves. */
  protected abstract probe(): Promise<unknown>;

  /** Starts it, unless it runs, and waits until it answers. */
  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    const end = performance.now() + START_MS;
    for (;;) {
      // After a crash the first one may end at once, since its predecessor's children are not all gone.
      if (hasEnded(this.#process)) this.#process = this.#spawn();
      try {
        await this.probe();
        return;
      } catch (error) {
        if (performance.now() > end) throw error;
        await delay(50);
      }
    }
  }

  /** Ends it in order, or, with SIGKILL, as if it had crashed. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const server = this.#process;
    if (server === undefined) return;
    this.#process = undefined;
    // Nothing else has this id while the child was not waited for.
    const exited = hasEnded(server) ? undefined : once(server, 'exit');
    if (signal === 'SIGKILL') await this.#signalAll(server, signal);
    else server.kill(this.orderlyEnd());
    await exited;
  }

  /** Stops its processes where they stand: connections stay, and nothing answers. */
  async pause(): Promise<void> {
    const server = this.#process;
    if (server === undefined) return;
    const stopped = await this.#signalAll(server, 'SIGSTOP');
    for (const pid of stopped) await standsStill(pid);
  }

  async resume(): Promise<void> {
    if (this.#process !== undefined) await this.#signalAll(this.#process, 'SIGCONT');
  }

  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10 });
  }

  /** The signal that ends it without waiting for its clients. */
  protected orderlyEnd(): NodeJS.Signals {
    return 'SIGTERM';
  }

  #spawn(): ChildProcess {
    const { file, args, uid } = this.command();
    const server = spawn(file, args, {
      stdio: 'ignore',
      cwd: this.folder,
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    const kill = (): void => void server.kill('SIGKILL');
    process.once('exit', kill);
    server.once('exit', () => process.off('exit', kill));
    return server;
  }

  /** Resolves with the processes that it was sent to. */
  async #signalAll(server: ChildProcess, signal: NodeJS.Signals): Promise<number[]> {
    const children = await childrenOf(server.pid);
    server.kill(signal);
    for (const child of children) {
      try {
        process.kill(child, signal);
      } catch {
        // It ended by itself meanwhile.
      }
    }
    return server.pid === undefined ? children : [server.pid, ...children];
  }
}

function hasEnded(server: ChildProcess | undefined): boolean {
  return server === undefined || server.exitCode !== null || server.signalCode !== null;
}

/** The processes that a server has started; PostgreSQL has one for each connection. */
async function childrenOf(pid: number | undefined): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}

/**
 * Resolves when each thread of a process has taken the SIGSTOP that it was sent, or the process is gone. On a busy machine
 * a thread of a database answers a query between the signal and its own next turn.
 */
async function standsStill(pid: number): Promise<void> {
  const end = performance.now() + STOP_MS;
  while (!(await threadStates(pid)).every((state) => state === 'T' || state === 'Z')) {
    if (performance.now() > end) throw new Error(`process ${pid} goes on after SIGSTOP`);
    await delay(1);
  }
}

/** One letter a thread, as proc_pid_stat(5) has them; none for a process that is gone. */
async function threadStates(pid: number): Promise<string[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const read = threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8').catch(() => ''));
  return (await Promise.all(read)).filter(Boolean).map((text) => text.charAt(text.lastIndexOf(')') + 2));
}

/** Runs a command to its end. */
export async function runToEnd({ file, args, uid }: ServerCommand, cwd: string): Promise<void> {
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (output += String(piece)));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`${file} ended with ${code}: ${output.slice(-2_000)}`);
}

/** Says why a server cannot be started here, or, where it must be there, fails. */
export function missingServer(what: string, packageName: string): string {
  const missing = `skipped: ${what} is missing: apt-get install ${packageName}`;
  if (process.env['CI'] === 'true') throw new Error(missing);
  console.warn(missing);
  return missing;
}
