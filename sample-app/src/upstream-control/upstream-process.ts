import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('../upstream/main.js', import.meta.url));

/** A running provider. */
export class UpstreamProcess {
  readonly #child: ChildProcess;
  /** Resolves when it has ended, whoever ended it. */
  readonly exited: Promise<void>;

  private constructor(
    child: ChildProcess,
    readonly url: string,
  ) {
    this.#child = child;
    this.exited = new Promise((resolve) => child.once('exit', () => resolve()));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Starts one on a free port. */
  static async start(): Promise<UpstreamProcess> {
    const child = fork(ENTRY, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const [message] = (await Promise.race([once(child, 'message'), failure(child)])) as [{ port: number }];
    return new UpstreamProcess(child, `http://127.0.0.1:${message.port}`);
  }

  /** It has nothing to save, and one that hangs must not hold up the end of the shop. */
  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }
}

async function failure(child: ChildProcess): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null];
  throw new Error(`the upstream ended with code ${code} before it was ready`);
}
