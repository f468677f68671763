import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  globalIgnores([
    'dist',
    'coverage',
    'test-results',
    'bench/results',
    'docs/api',
    'docs/.vitepress/{dist,cache,.temp}',
  ]),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      // In a file with decorators the rule holds its peace: there Nest reads the imported classes at run time.
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // An abort reason and a caught error may be anything; the caller gets them as they are.
      '@typescript-eslint/prefer-promise-reject-errors': [
        'error',
        { allowThrowingAny: true, allowThrowingUnknown: true },
      ],
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingAny: true, allowThrowingUnknown: true }],
      // `async` without `await` is how a method of a promise-shaped port turns its own throw into a rejection.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['lib/**'],
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'The package has named exports only.' },
      ],
    },
  },
  {
    // What passes a pipeline is not ours; the data stores look at the errors of their own drivers, the page at its own.
    files: ['lib/**'],
    ignores: ['lib/data/**', 'lib/cli/**', 'lib/errors/foreign.ts', 'lib/observability/dashboard/page/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'The package has named exports only.' },
        {
          selector: 'BinaryExpression[operator="instanceof"]',
          message: 'A proxy may throw here: use instanceOf() of lib/errors/foreign.ts.',
        },
      ],
    },
  },
  {
    files: ['test/**', 'bench/**'],
    rules: {
      // Tests look at untyped answers, throw what is not an Error and hand over methods by name, all on purpose.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  // Its packages are its own, and seldom installed: there are no types to ask for either.
  { files: ['examples/nest-11-commonjs-jest/**/*.ts'], extends: [tseslint.configs.disableTypeChecked] },
  // Plain scripts stand outside tsconfig.json, so there are no types to ask for; Node's globals are known to all.
  { files: ['**/*.{js,mjs}'], extends: [tseslint.configs.disableTypeChecked], rules: { 'no-undef': 'off' } },
);
