#!/usr/bin/env node
import { setMaxListeners } from 'node:events';
import { constants } from 'node:os';
import { Logger, type LoggerService } from '@nestjs/common';
import { EXIT } from './command.js';
import { run } from './run.js';

/** What the data services log belongs to standard error: standard output is for results. */
class StderrLogger implements LoggerService {
  log(): void {}

  warn(message: unknown): void {
    process.stderr.write(`${String(message)}\n`);
  }

  error(message: unknown): void {
    process.stderr.write(`${String(message)}\n`);
  }
}

async function main(): Promise<void> {
  Logger.overrideLogger(new StderrLogger());
  const interruption = new AbortController();
  // Each write that is under way listens.
  setMaxListeners(0, interruption.signal);
  let signalCode: number | undefined;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    // Once: the second one ends the process as it always does.
    process.once(name, () => {
      signalCode = 128 + constants.signals[name];
      interruption.abort(new Error(`interrupted by ${name}`));
    });
  }
  const code = await run(process.argv.slice(2), {
    terminal: { out: process.stdout, err: process.stderr },
    signal: interruption.signal,
  });
  process.exitCode = code === EXIT.ok ? code : (signalCode ?? code);
}

void main();
