// Lint rules of the whole project; `npm run lint` reads this file.
import { fileURLToPath } from 'node:url'
import tseslint from 'typescript-eslint'

const root = fileURLToPath(new URL('../..', import.meta.url))

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'dist.*/**',
      'node_modules/**',
      'coverage/**',
      'var/**',
      '**/*.js',
      '**/*.cjs',
      '**/*.mjs',
      '**/*.d.ts',
    ],
  },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './src/dashboard/pages/tsconfig.json'],
        tsconfigRootDir: root,
      },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { arguments: false } },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      eqeqeq: ['error', 'always'],
      'no-console': 'error',
      'max-params': ['error', 4],
      'max-lines': ['warn', { max: 400 }],
      'prefer-const': 'error',
    },
  },
  { files: ['src/cli/**', 'tools/**', 'test/**'], rules: { 'no-console': 'off' } },
  {
    files: ['src/**'],
    ignores: ['src/core/record.ts', 'src/proxy/words/*-log.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'TSTypeReference > Identifier[name="WritableRow"]',
          message: 'A row is written by its log alone (src/proxy/words/*-log.ts).',
        },
        {
          selector:
            'CallExpression[callee.object.name="Object"][callee.property.name="assign"]' +
            ' > :first-child[name=/record$/i], CallExpression[callee.object.name="Object"]' +
            '[callee.property.name="assign"] > MemberExpression[property.name=/record$/i]:first-child',
          message: 'A row is written by its log alone (src/proxy/words/*-log.ts).',
        },
      ],
    },
  },
  {
    // CommonJS has no other words for it.
    files: ['**/*.cts'],
    rules: {
      '@typescript-eslint/no-require-imports': 'off',
      '@typescript-eslint/consistent-type-imports': 'off',
    },
  },
  {
    files: ['test/**'],
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
)
