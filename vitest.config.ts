import { availableParallelism } from 'node:os';

import { defineConfig } from 'vitest/config';

import LongestFirst from './scripts/longest-first.ts';

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
    // .NET's compiler does not prepare for a second pass, for which programs of tests do not live long
    // enough: they take a third less of the processors.
    env: { DOTNET_TieredPGO: '0', DOTNET_TC_CallCounting: '0' },
    // Test files leave nothing behind in their process, and a process for each would take a tenth of
    // the time, most of it for importing the same again.
    isolate: false,
    projects: [
      {
        extends: true,
        test: {
          name: 'units',
          include: ['packages/*/src/**/*.test.ts', 'services/*/src/**/*.test.ts'],
        },
      },
      { extends: true, test: { name: 'whole', include: ['test/**/*.test.ts'] } },
    ],
  },
});
