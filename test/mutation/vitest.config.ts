import { defineConfig, mergeConfig } from 'vitest/config';
import shared from '../../vitest.config.js';

const { projects: _, ...test } = shared.test ?? {};

/**
 * The tests that look at what is mutated from near: those of the same folder, and those of all policies together. A limit of
 * time is in nearly every other test as well, and to run them all for each mutant would take a day.
 */
const NEAR = process.env['MUTATED_FOLDERS']?.split(',') ?? ['policies', 'pipeline'];
const TOGETHER = process.env['MUTATION_TESTS'] === 'unit' ? [] : ['test/composition/**/*.test.ts'];
/** They run whole histories, or every policy in turn: seconds for each mutant. */
const SLOW = ['callbacks', 'crash-injection', 'dropped-streams', 'overload', 'simulation', 'unhandled-rejections'].map(
  (name) => `test/composition/${name}.test.ts`,
);

export default mergeConfig(
  { ...shared, test },
  defineConfig({
    test: {
      include: [...NEAR.map((folder) => `test/unit/${folder}/**/*.test.ts`), ...TOGETHER],
      exclude: ['test/**/*.{alone,deep,property,model}.test.ts', ...SLOW],
      reporters: ['default'],
      // Test files share what they import: to load it for each mutant would take three times as long as the tests.
      isolate: false,
      pool: 'threads',
    },
  }),
);
