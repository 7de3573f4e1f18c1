import { availableParallelism } from 'node:os';

import { defineConfig } from 'vitest/config';

import LongestFirst from './scripts/longest-first.ts';

/** Tests of whole processes that are over in a few seconds, most of them. */
const BRIEF = ['test/{bench,deploy,docs,edge,sdk,traps}/**/*.test.ts'];

export default defineConfig({
  resolve: { conditions: ['@trunkline/source'] },
  ssr: { resolve: { conditions: ['@trunkline/source'] } },
  test: {
    // Tests wait more than they work, so three files at a time suit two cores.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
    // Generous, as every deadline of a test is: on a machine that others share, all can stand still for
    // seconds, and no test that passes waits for one of them.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
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
        test: { name: 'whole', include: ['test/**/*.test.ts'], exclude: BRIEF },
      },
      {
        extends: true,
        // As with the units.
        test: { name: 'brief', include: BRIEF, isolate: false },
      },
    ],
  },
});
