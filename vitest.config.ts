import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@trunkline/source'] },
  ssr: { resolve: { conditions: ['@trunkline/source'] } },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'services/*/src/**/*.test.ts',
      'scripts/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    reporters: ['default', './scripts/closing-line-reporter.ts'],
  },
});
