import { expect, test } from 'vitest';

import { Guide } from './guide.ts';

test('the tests of the guide compile, and pass', { timeout: 60_000 }, async () => {
  await using guide = await Guide.of('testing.md');
  expect(await guide.compile()).toBe('');
  const { code, output } = await guide.node(['--test', '--test-reporter=tap']);
  expect({ code, output }).toEqual({
    code: 0,
    output: expect.stringContaining('# pass 6') as string,
  });
});
