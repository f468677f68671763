#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { EXIT } from '../../../cli/command.js';
import { propertyOf } from '../../../errors/foreign.js';
import { textOf } from '../../../kernel/error-text.js';

async function main(): Promise<number> {
  const { stdout: out, stderr: err, argv, env } = process;
  const [group, ...rest] = argv.slice(2);
  if (group === 'cluster') {
    // etcd3 is there only where somebody wants it.
    const { runCluster } = await import('./run.js');
    return runCluster(rest, { terminal: { out, err }, env, readFile: (path) => readFileSync(path) });
  }
  (group === '--help' ? out : err).write(
    `nestjs-bulwark cluster <command> [arguments]: the breakers of a fleet; nestjs-bulwark cluster --help says more\n`,
  );
  return group === '--help' ? EXIT.ok : EXIT.usage;
}

main().then(
  (code) => void (process.exitCode = code),
  (error: unknown) => {
    const isMissing = propertyOf(error, 'code') === 'ERR_MODULE_NOT_FOUND';
    const hint = isMissing ? '; the commands for a fleet need the package etcd3: npm install etcd3' : '';
    process.stderr.write(`nestjs-bulwark failed: ${textOf(error)}${hint}\n`);
    process.exitCode = EXIT.failed;
  },
);
