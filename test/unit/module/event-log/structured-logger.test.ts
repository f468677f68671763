import { ConsoleLogger, Logger, type ConsoleLoggerOptions, type LoggerService } from '@nestjs/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CarefulLogger } from '../../../../lib/module/event-log/careful-logger.js';
import type { Level } from '../../../../lib/module/event-log/log-line.js';

const FIELDS = { event: 'stateChange', instance: 'payments', policy: 'circuitBreaker', from: 'closed', to: 'open' };
const STACK = 'Error: down\n    at pay (/app/payments.js:1:2)';
const TEXT = 'payments: circuit breaker is open';

afterEach(() => {
  vi.restoreAllMocks();
  Logger.overrideLogger(false);
});

/** What Nest's own logger writes. */
function consoleLines(options: ConsoleLoggerOptions, level: Level, stack?: string): string[] {
  const lines: string[] = [];
  const write = (text: unknown): boolean => {
    lines.push(...String(text).trimEnd().split('\n'));
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
  Logger.overrideLogger(new ConsoleLogger(options));
  new CarefulLogger().write(level, TEXT, { fields: FIELDS, stack });
  vi.restoreAllMocks();
  return lines;
}

type Call = [method: string, ...args: unknown[]];

/** A logger as apps write one. */
function recorder(calls: Call[]): LoggerService {
  const method =
    (name: string) =>
    (...args: unknown[]): void =>
      void calls.push([name, ...args]);
  return { log: method('log'), warn: method('warn'), error: method('error'), debug: method('debug') };
}

/** `Logger` of nestjs-pino, as all its versions take a call, before the `PinoLogger` behind it. */
class PinoLikeLogger {
  readonly contextName = 'context';
  readonly calls: Call[] = [];
  readonly logger = Object.fromEntries(
    ['debug', 'info', 'warn', 'error', 'assign', 'setContext'].map((name) => [
      name,
      (...args: unknown[]) => void this.calls.push([name, ...args]),
    ]),
  );

  log(message: unknown, ...rest: unknown[]): void {
    this.#call('info', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#call('warn', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.#call('error', message, rest);
  }

  #call(level: string, message: unknown, rest: unknown[]): void {
    this.logger[level]?.({ context: rest.at(-1) }, message, ...rest.slice(0, -1));
  }
}

describe('a line with fields', () => {
  it.each(['log', 'warn', 'error', 'debug'] as const)("is one JSON record of Nest's logger at level %s", (level) => {
    const lines = consoleLines({ json: true }, level, level === 'error' ? STACK : undefined);

    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      level,
      message: TEXT,
      context: 'Bulwark',
      params: { bulwark: FIELDS },
      ...(level === 'error' && { stack: STACK }),
    });
  });

  it("has no stack in Nest's JSON where there is none", () => {
    const [line = ''] = consoleLines({ json: true }, 'error');

    expect(JSON.parse(line)).toMatchObject({ message: TEXT, params: { bulwark: FIELDS } });
    expect(line).not.toContain('stack');
  });

  it("is text alone in Nest's logger for people, and where its params are off", () => {
    const [plain = '', ...more] = consoleLines({ colors: false }, 'warn');
    const [json = '', ...records] = consoleLines({ json: true, structuredParams: false }, 'warn');

    expect(plain).toMatch(/WARN \[Bulwark\] payments: circuit breaker is open$/);
    expect(JSON.parse(json)).toMatchObject({ message: TEXT, context: 'Bulwark' });
    expect([...more, ...records]).toEqual([]);
  });

  it('is text alone in a logger of the app, with the arguments that Nest documents', () => {
    const calls: Call[] = [];
    Logger.overrideLogger(recorder(calls));
    new CarefulLogger().write('warn', TEXT, { fields: FIELDS });
    new CarefulLogger().write('error', TEXT, { fields: FIELDS, stack: STACK });

    expect(calls).toEqual([
      ['warn', TEXT, 'Bulwark'],
      ['error', TEXT, STACK, 'Bulwark'],
    ]);
  });

  it("is text alone where a subclass of Nest's logger has methods of its own", () => {
    const calls: Call[] = [];
    class OwnLogger extends ConsoleLogger {
      override warn(message: string, context?: string): void {
        calls.push(['warn', message.toUpperCase(), context?.toUpperCase()]);
      }
    }
    Logger.overrideLogger(new OwnLogger({ json: true }));
    new CarefulLogger().write('warn', TEXT, { fields: FIELDS });

    expect(calls).toEqual([['warn', TEXT.toUpperCase(), 'BULWARK']]);
  });

  it('is merged into the record of nestjs-pino, under the context', () => {
    const logger = new PinoLikeLogger();
    Logger.overrideLogger(logger);
    new CarefulLogger().write('log', TEXT, { fields: FIELDS });
    new CarefulLogger().write('error', TEXT, { fields: FIELDS, stack: STACK });
    new CarefulLogger().write('warn', 'without fields');

    expect(logger.calls).toEqual([
      ['info', { context: 'Bulwark', bulwark: FIELDS }, TEXT],
      [
        'error',
        { context: 'Bulwark', bulwark: FIELDS, err: expect.objectContaining({ stack: STACK }) as unknown },
        TEXT,
      ],
      ['warn', { context: 'Bulwark' }, 'without fields'],
    ]);
  });

  it('is the object that nest-winston takes, with the text as its message', () => {
    const calls: Call[] = [];
    Logger.overrideLogger({ ...recorder(calls), getWinstonLogger: () => undefined } as LoggerService);
    new CarefulLogger().write('warn', TEXT, { fields: FIELDS });
    new CarefulLogger().write('error', TEXT, { fields: FIELDS, stack: STACK });

    expect(calls).toEqual([
      ['warn', { message: TEXT, bulwark: FIELDS }, 'Bulwark'],
      ['error', { message: TEXT, bulwark: FIELDS }, STACK, 'Bulwark'],
    ]);
  });

  it('is bounded in its fields as in its text', () => {
    const [line = ''] = ((): string[] => {
      const lines: string[] = [];
      vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
        lines.push(String(text));
        return true;
      });
      Logger.overrideLogger(new ConsoleLogger({ json: true }));
      new CarefulLogger().write('warn', TEXT, { fields: { event: 'stateChange', instance: 'x'.repeat(50_000) } });
      vi.restoreAllMocks();
      return lines;
    })();

    expect(line.length).toBeLessThan(5_000);
    expect(line).toContain('46000 characters more');
  });
});
