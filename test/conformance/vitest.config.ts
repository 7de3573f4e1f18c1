import { defineConfig } from 'vitest/config';

import common from '../../vitest.config.ts';

const { projects: _ours, ...rest } = common.test!;

/** For what is too long for `npm test`. */
export default defineConfig({
  ...common,
  test: { ...rest, include: ['test/conformance/everything.ts'], maxConcurrency: 8 },
});
