import { Logger } from '@nestjs/common';
import { logLine } from './log-line.js';

export type Level = 'debug' | 'log' | 'warn' | 'error';

/**
 * Nest's logger under our name. The app may have brought its own, which may throw: a line of the log is worth no call,
 * so that is let go.
 */
export class CarefulLogger {
  readonly #logger = new Logger('Bulwark');

  /** @param text what is written; a function may throw as well. */
  write(level: Level, text: string | (() => string), stack?: string): void {
    try {
      const line = logLine(typeof text === 'string' ? text : text());
      if (level === 'error') this.#logger.error(line, stack === undefined ? undefined : logLine(stack));
      else this.#logger[level](line);
    } catch {
      // Nobody is left to tell.
    }
  }
}
