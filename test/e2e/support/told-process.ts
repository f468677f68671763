import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A scene in a process of its own that says where it listens, and in the end what it has seen, a line of JSON each. */
export class ToldProcess<Report> {
  #lines: string[] = [];
  #heard: (() => void) | undefined;
  readonly #exit: Promise<unknown[]>;

  private constructor(private readonly child: ReturnType<typeof spawn>) {
    this.#exit = once(child, 'exit');
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#lines.push(...text.trim().split('\n'));
      this.#heard?.();
    });
  }

  static async start<Report>(file: string, ...args: readonly string[]): Promise<ToldProcess<Report>> {
    const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const told = new ToldProcess<Report>(child);
    const heard = new Promise<void>((resolve) => (told.#heard = resolve));
    await Promise.race([heard, told.#exit.then(() => Promise.reject(new Error('the scene did not start')))]);
    return told;
  }

  get port(): number {
    return Number(this.#lines[0]);
  }

  /** Tells it to end. @returns how it ended, after how many ms, and what it has reported. */
  async end(): Promise<{ signal: unknown; tookMs: number; report: Report | undefined }> {
    const since = performance.now();
    this.child.kill('SIGTERM');
    const [, signal] = await this.#exit;
    const tookMs = performance.now() - since;
    if (this.child.stdout?.readableEnded === false) await once(this.child.stdout, 'end');
    const [, report] = this.#lines;
    return { signal, tookMs, report: report === undefined ? undefined : (JSON.parse(report) as Report) };
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}
