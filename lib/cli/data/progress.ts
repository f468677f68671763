import { formatBytes, formatCount } from '../shell/format.js';
import type { Terminal } from '../shell/terminal.js';

/** How often the line on a terminal is drawn anew. */
const DRAW_MS = 200;
/** How often a line is added to what is no terminal, such as the log of a job. */
const LINE_MS = 5_000;
const CLEAR_LINE = '\r\x1b[K';

/** Shows on standard error how far something is. */
export class Progress {
  readonly #timer: NodeJS.Timeout;
  readonly #start = performance.now();
  #count = 0;
  #bytes = 0;

  /**
   * @param doing what is being done: `copying`.
   * @param things what is counted: `writes`.
   */
  constructor(
    private readonly err: Terminal['err'],
    private readonly doing: string,
    private readonly things: string,
  ) {
    this.#timer = setInterval(() => this.#draw(), err.isTTY === true ? DRAW_MS : LINE_MS).unref();
  }

  /** Counts one more. */
  add(bytes: number): void {
    this.#count += 1;
    this.#bytes += bytes;
  }

  /** Takes the line off a terminal. */
  end(): void {
    clearInterval(this.#timer);
    if (this.err.isTTY === true) this.err.write(CLEAR_LINE);
  }

  #draw(): void {
    const seconds = (performance.now() - this.#start) / 1_000;
    const rate = formatCount(this.#count / seconds);
    const line = `${this.doing}: ${formatCount(this.#count)} ${this.things}, ${formatBytes(this.#bytes)}, ${rate}/s`;
    this.err.write(this.err.isTTY === true ? `${CLEAR_LINE}${line}` : `${line}\n`);
  }
}

/** Shows progress while `work` runs, which tells how many bytes it has done. */
export async function withBytes<T>(
  err: Terminal['err'],
  doing: string,
  things: string,
  work: (onProgress: (progress: { readonly doneBytes: number }) => void) => Promise<T>,
): Promise<T> {
  const progress = new Progress(err, doing, things);
  let seen = 0;
  return withProgress(progress, () =>
    work(({ doneBytes }) => {
      progress.add(doneBytes - seen);
      seen = doneBytes;
    }),
  );
}

/** Shows progress while `work` runs. */
export async function withProgress<T>(progress: Progress, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    progress.end();
  }
}
