import { defineConfig, mergeConfig } from 'vitest/config';
import shared from '../../vitest.config.js';

const { projects: _, ...test } = shared.test ?? {};

/**
 * The tests that look at what is mutated from near: those of the same folder, and those of all policies together. A limit of
 * time is in nearly every other test as well, and to run them all for each mutant would take a day.
 */
const NEAR = process.env['MUTATED_FOLDERS']?.split(',') ?? ['policies', 'pipeline'];
const TOGETHER = process.env['MUTATION_TESTS'] === 'unit' ? [] : ['test/composition/**/*.test.ts'];

export default mergeConfig(
  { ...shared, test },
  defineConfig({
    test: {
      include: [...NEAR.map((folder) => `test/unit/${folder}/**/*.test.ts`), ...TOGETHER],
      exclude: ['test/**/*.{deep,property,model}.test.ts'],
      reporters: ['default'],
    },
  }),
);
