import { defineConfig } from 'vitest/config';

import common from '../../vitest.config.ts';

/** For what is too long for `npm test`. */
export default defineConfig({
  ...common,
  test: { ...common.test, include: ['test/conformance/everything.ts'], maxConcurrency: 8 },
});
