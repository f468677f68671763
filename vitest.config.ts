import { defineConfig } from 'vitest/config';

const source = (path: string): string => new URL(path, import.meta.url).pathname;

export default defineConfig({
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: {
    // The tests import the package by its name, as a user does, and get its source.
    alias: [
      { find: /^nestjs-bulwark$/, replacement: source('./lib/index.ts') },
      { find: /^nestjs-bulwark\/data$/, replacement: source('./lib/data/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['reflect-metadata'],
    pool: 'forks',
    testTimeout: 20_000,
    // .ci/run counts the tests from the JSON.
    reporters: process.env['CI'] ? ['default', ['json', { outputFile: 'test-results/vitest.json' }]] : ['default'],
  },
});
