/**
 * Changes the code of the policies in small ways and looks whether a test fails for each:
 *
 *     npm run test:mutation                            all of lib/policies and lib/pipeline: hours
 *     npm run test:mutation -- lib/policies/timeout    a folder or a file
 *     npm run test:mutation -- --since main            the files that differ from a branch or commit
 *     npm run test:mutation -- --processes 1           while the machine is wanted for something else
 *     npm run test:mutation -- --tests unit …          with the unit tests of the same folder alone: minutes, fewer are found
 *
 * What has been found is kept, and only what has changed since is tried again; `--force` tries all. The report lies in
 * test-results/mutation; fails below a score of 85 %.
 */
import { Stryker } from '@stryker-mutator/core';
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const FOLDERS = ['lib/policies', 'lib/pipeline'];
const BREAK_BELOW = 85;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    since: { type: 'string' },
    tests: { type: 'string', default: 'near' },
    force: { type: 'boolean', default: false },
    processes: { type: 'string' },
  },
});

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
const wanted =
  values.since === undefined ? (positionals.length > 0 ? positionals : FOLDERS) : changedSince(values.since);
const absent = wanted.filter((path) => !existsSync(path));
if (absent.length > 0) throw new Error(`there is no ${absent.join(', ')}`);
if (wanted.length === 0) console.log(`Nothing in ${FOLDERS.join(' and ')} differs from ${values.since}.`);
else await mutate(wanted.map((path) => (statSync(path).isDirectory() ? `${path}/**/*.ts` : path)));

function changedSince(ref) {
  const args = ['diff', '--name-only', '--diff-filter=d', `${ref}...`, '--', ...FOLDERS];
  const changed = execFileSync('git', args, { encoding: 'utf8' }).split('\n');
  return changed.filter((path) => path.endsWith('.ts'));
}

async function mutate(files) {
  // For test/mutation/vitest.config.ts: `policies/retry` of lib/policies/retry/**.
  const folders = files.map((file) => /^lib\/(policies\/[^/*.]+|policies|pipeline)(?:\/|$)/.exec(file)?.[1] ?? '*');
  process.env.MUTATION_TESTS = values.tests;
  process.env.MUTATED_FOLDERS = [...new Set(folders)].join(',');
  const stryker = new Stryker({
    mutate: files,
    testRunner: 'vitest',
    vitest: { configFile: 'test/mutation/vitest.config.ts', related: true },
    // What does not compile needs no test.
    checkers: ['compiles'],
    tsconfigFile: 'lib/tsconfig.lib.json',
    plugins: ['@stryker-mutator/vitest-runner', fileURLToPath(new URL('compiles.mjs', import.meta.url))],
    coverageAnalysis: 'perTest',
    concurrency: Number(values.processes ?? availableParallelism()),
    // Wording is not what tests hold; a mutant that runs at import would need a process of its own for each.
    mutator: { excludedMutations: ['StringLiteral'] },
    ignoreStatic: true,
    ignorePatterns: [
      'dist',
      'sample-app',
      'test-results',
      'grafana',
      'prometheus',
      'bench',
      'test/libraries',
      'coverage',
    ],
    tempDirName: 'dist/mutation',
    incremental: true,
    incrementalFile: 'test-results/mutation/incremental.json',
    force: values.force,
    reporters: ['clear-text', 'progress-append-only', 'html'],
    htmlReporter: { fileName: 'test-results/mutation/index.html' },
    clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false },
    // A busy machine makes no mutant time out, nor the run without one.
    timeoutMS: 15_000,
    dryRunTimeoutMinutes: 60,
    thresholds: { high: 95, low: 90, break: BREAK_BELOW },
    allowConsoleColors: false,
  });
  await stryker.runMutationTest();
}
