import { ConsoleLogger, Logger } from '@nestjs/common';
import { instanceOf, propertyOf } from '../../errors/foreign.js';
import type { Level } from './log-line.js';

/** A line of the log with its fields. */
export interface StructuredLine {
  readonly level: Level;
  readonly text: string;
  readonly fields: object;
  readonly stack: string | undefined;
  /** Under which name it is logged. */
  readonly context: string;
}

type Write = (line: StructuredLine) => void;

/**
 * How the app's logger takes fields beside a text. Each family has its own way, and what one takes for fields another
 * prints as a second line, or takes for the context; so a logger that is not known for sure gets text alone.
 *
 * @returns undefined where it gets text alone.
 */
export function structuredWriter(logger: Logger): Write | undefined {
  const app = propertyOf(Logger, 'staticInstanceRef');
  if (isJsonConsole(app)) return ofNest(logger);
  if (isNestPino(app)) return ofPino(app);
  if (typeof propertyOf(app, 'getWinstonLogger') === 'function') return ofWinston(logger);
  return undefined;
}

/**
 * Nest's own logger, as it is from Nest 12 on: with `json`, objects after the text are the `params` of its line. Before, they
 * were lines of their own, as they are for people without `json`, who read the text.
 */
function isJsonConsole(app: unknown): boolean {
  if (!instanceOf(app, ConsoleLogger) || !('stringifyParams' in ConsoleLogger.prototype)) return false;
  const options = propertyOf(app, 'options');
  const isOwn = (['log', 'warn', 'error', 'debug'] as const).every(
    (level) => propertyOf(app, level) === propertyOf(ConsoleLogger.prototype, level),
  );
  return isOwn && propertyOf(options, 'json') === true && propertyOf(options, 'structuredParams') !== false;
}

function ofNest(logger: Logger): Write {
  return ({ level, text, fields, stack }) => {
    if (level === 'error' && stack !== undefined) logger.error(text, fields, stack);
    else logger[level](text, fields);
  };
}

type PinoMethod = (fields: object, text: string) => void;
const PINO_LEVELS = { debug: 'debug', log: 'info', warn: 'warn', error: 'error' } as const;

interface NestPino {
  readonly contextName: string;
  /** Has the methods of pino: the fields come first. */
  readonly logger: Readonly<Record<'debug' | 'info' | 'warn' | 'error', PinoMethod>>;
}

/** `Logger` and `NativeLogger` of nestjs-pino. What stands behind them takes fields in the same way in all its versions. */
function isNestPino(app: unknown): app is NestPino {
  const behind = propertyOf(app, 'logger');
  return (
    typeof propertyOf(app, 'contextName') === 'string' &&
    [...Object.values(PINO_LEVELS), 'assign', 'setContext'].every(
      (method) => typeof propertyOf(behind, method) === 'function',
    )
  );
}

function ofPino({ contextName, logger }: NestPino): Write {
  return ({ level, text, fields, stack, context }) => {
    // As it makes one of a stack itself.
    const err = stack === undefined ? {} : { err: Object.assign(new Error(text), { stack }) };
    logger[PINO_LEVELS[level]]({ [contextName]: context, ...fields, ...err }, text);
  };
}

/** nest-winston takes one object for all, in which `message` is the text. */
function ofWinston(logger: Logger): Write {
  return ({ level, text, fields, stack }) => {
    const message = { message: text, ...fields };
    if (level === 'error') logger.error(message, stack);
    else logger[level](message);
  };
}
