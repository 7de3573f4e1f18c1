import { availableParallelism } from 'node:os';

import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@trunkline/source'] },
  ssr: { resolve: { conditions: ['@trunkline/source'] } },
  test: {
    // Tests wait more than they work, so two of them at a time suit two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // Official clients throw the refusal of a handshake into Node, too, beside failing their start with
    // it: where it is a test's business, that is what the test sees.
    onUnhandledError: (error) => error.stack?.includes('rocessHandshakeResponse') !== true,
    reporters: ['default', './scripts/closing-line-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'units',
          include: ['packages/*/src/**/*.test.ts', 'services/*/src/**/*.test.ts'],
          // They leave nothing behind in their process, and half of their time was importing.
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'whole', include: ['scripts/**/*.test.ts', 'test/**/*.test.ts'] },
      },
    ],
  },
});
