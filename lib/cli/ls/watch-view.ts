import type { DashboardState } from '../../observability/dashboard/protocol.js';
import type { Terminal } from '../shell/terminal.js';
import { instancesOf } from './instance-view.js';
import { clock, LEAST_WIDTH, rowOf, tableOf, titles } from './table.js';

/** Shows an app again and again. */
export interface View {
  show(state: DashboardState): void;
  /** There is no state for the moment. */
  away(why: string): void;
  /** @returns what is written at the end. */
  end(): string;
}

const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

/** A table that stays in its place, on a screen of its own; the last one is left behind at the end. */
export class ScreenView implements View {
  #last: DashboardState | undefined;
  #entered = false;

  constructor(
    private readonly out: Terminal['out'],
    private readonly colours: boolean,
  ) {}

  show(state: DashboardState): void {
    this.#last = state;
    this.#draw(this.#table(state, this.out.rows ?? Infinity));
  }

  away(why: string): void {
    const before = this.#last === undefined ? [] : this.#table(this.#last, (this.out.rows ?? Infinity) - 2);
    this.#draw([why, '', ...before]);
  }

  end(): string {
    const last = this.#last === undefined ? '' : `${this.#table(this.#last, Infinity).join('\n')}\n`;
    return `${this.#entered ? LEAVE : ''}${last}`;
  }

  #table(state: DashboardState, height: number): string[] {
    const width = Math.max(LEAST_WIDTH, this.out.columns ?? 0);
    // The last line stays free: to write into its end would move the screen.
    return tableOf(state, { width, height: height - 1, colours: this.colours });
  }

  #draw(lines: readonly string[]): void {
    const enter = this.#entered ? '' : ENTER;
    this.#entered = true;
    this.out.write(`${enter}${HOME}${lines.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_BELOW}`);
  }
}

/** One line for each instance whose figures have changed, after the time, for pipes and files. */
export class LineView implements View {
  readonly #before = new Map<string, string>();
  #titled = false;
  #why: string | undefined;

  constructor(
    private readonly out: Terminal['out'],
    private readonly err: Terminal['err'],
    private readonly width: number,
  ) {}

  show(state: DashboardState): void {
    this.#why = undefined;
    const time = clock(state.now);
    const style = { width: this.width - time.length - 1, colours: false };
    const lines: string[] = this.#titled ? [] : [`${'TIME'.padEnd(time.length)} ${titles(style)}`];
    this.#titled = true;
    for (const one of instancesOf(state)) {
      const line = rowOf(one, style);
      if (this.#before.get(one.name) === line) continue;
      this.#before.set(one.name, line);
      lines.push(`${time} ${line}`);
    }
    if (lines.length > 0) this.out.write(`${lines.join('\n')}\n`);
  }

  /** Told once. */
  away(why: string): void {
    if (why !== this.#why) this.err.write(`ls: ${why}\n`);
    this.#why = why;
  }

  end(): string {
    return '';
  }
}
