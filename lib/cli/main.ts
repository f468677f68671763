#!/usr/bin/env node
import { constants } from 'node:os';
import { run } from './run.js';
import { EXIT } from './shell/command.js';

const interruption = new AbortController();
let signalCode: number | undefined;

/** Lets a command hear of the signals that would end it. Whatever never asks is ended by them as any process is. */
function interrupted(): AbortSignal {
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    if (process.listenerCount(name) > 0) continue;
    // Once: the second one ends the process as it always does.
    process.once(name, () => {
      signalCode = 128 + constants.signals[name];
      interruption.abort(new Error(`interrupted by ${name}`));
    });
  }
  return interruption.signal;
}

// Whoever read our output has seen enough: `nestjs-bulwark ls URL --watch | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.ok);
});

const { stdout: out, stderr: err, env, argv } = process;
const code = run(argv.slice(2), { terminal: { out, err }, env, interrupted });
void code.then((ended) => (process.exitCode = ended === EXIT.ok ? ended : (signalCode ?? ended)));
