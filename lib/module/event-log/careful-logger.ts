import { Logger } from '@nestjs/common';
import { fieldsOfLine, type LogFields } from './log-fields.js';
import { logLine, type Level } from './log-line.js';
import { structuredWriter } from './structured-logger.js';

/** What a line may have beside its text. */
export interface LineExtras {
  readonly stack?: string | undefined;
  /** For loggers that keep fields; the text says it all. */
  readonly fields?: LogFields | undefined;
}

const CONTEXT = 'Bulwark';

/**
 * Nest's logger under our name. The app may have brought its own, which may throw: a line of the log is worth no call,
 * so that is let go.
 */
export class CarefulLogger {
  readonly #logger = new Logger(CONTEXT);

  /** @param text what is written; a function may throw as well. */
  write(level: Level, text: string | (() => string), { stack: whole, fields }: LineExtras = {}): void {
    try {
      const line = logLine(typeof text === 'string' ? text : text());
      const stack = whole === undefined ? undefined : logLine(whole);
      const structured = fields === undefined ? undefined : structuredWriter(this.#logger);
      if (fields !== undefined && structured !== undefined)
        structured({ level, text: line, fields: fieldsOfLine(fields), stack, context: CONTEXT });
      else if (level === 'error') this.#logger.error(line, stack);
      else this.#logger[level](line);
    } catch {
      // Nobody is left to tell.
    }
  }
}
