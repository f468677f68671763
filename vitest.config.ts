import { defineConfig } from 'vitest/config';

const source = (path: string): string => new URL(path, import.meta.url).pathname;

/** What works with whole processes, with servers or for long: whole folders, and single files by their name. */
const DEEP = ['test/{bundle,cli,examples,faults,libraries,sample}/**/*.test.{ts,mjs}', 'test/**/*.deep.test.ts'];
/** What tries histories made by chance: some in `npm test`, many more in `npm run test:deep` (test/support/runs.ts). */
const BY_CHANCE = ['test/**/*.{model,property}.test.ts'];
const LIBRARIES = 'test/{libraries,jest}/node_modules/**';
/** What holds only where no other test has run in the process: a warning that comes once, a context that cannot be turned off. */
const ALONE = ['test/**/*.alone.test.ts'];

export default defineConfig({
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: {
    // The tests import the package by its name, as a user does, and get its source.
    alias: [
      { find: /^nestjs-bulwark$/, replacement: source('./lib/index.ts') },
      { find: /^nestjs-bulwark\/etcd$/, replacement: source('./lib/cluster/etcd/index.ts') },
      { find: /^nestjs-bulwark\/redis$/, replacement: source('./lib/cluster/redis/index.ts') },
      { find: /^nestjs-bulwark\/metrics$/, replacement: source('./lib/observability/metrics/index.ts') },
      { find: /^nestjs-bulwark\/otel$/, replacement: source('./lib/observability/otel/index.ts') },
      { find: /^nestjs-bulwark\/health$/, replacement: source('./lib/observability/health/index.ts') },
      { find: /^nestjs-bulwark\/dashboard$/, replacement: source('./lib/observability/dashboard/index.ts') },
      { find: /^nestjs-bulwark\/http$/, replacement: source('./lib/http/index.ts') },
      { find: /^nestjs-bulwark\/microservices$/, replacement: source('./lib/microservices/index.ts') },
      { find: /^nestjs-bulwark\/testing$/, replacement: source('./lib/testing/index.ts') },
      { find: /^nestjs-bulwark\/data$/, replacement: source('./lib/data/index.ts') },
    ],
  },
  test: {
    setupFiles: ['reflect-metadata'],
    pool: 'forks',
    // A core is not kept free for the runner, which has little to do.
    maxWorkers: '100%',
    // These only end what hangs: eight other processes at work on two cores make no test fail.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    // .ci/run counts the tests from the JSON.
    reporters: process.env['CI'] ? ['default', 'json'] : ['default'],
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: [LIBRARIES, ...DEEP, ...ALONE],
          // They share what they import: to load it for each file took longer than the tests.
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE },
      },
      {
        extends: true,
        test: {
          name: 'deep',
          include: [...DEEP, ...BY_CHANCE],
          exclude: [LIBRARIES],
          env: { TEST_DEPTH: 'deep' },
        },
      },
    ],
  },
});
