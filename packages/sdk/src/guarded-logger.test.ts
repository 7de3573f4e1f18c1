import { expect, test, vi } from 'vitest';

import { serve } from './harness.test-support.ts';
import { Hub } from './hubs/hub.ts';
import type { Logger } from './options.ts';

class Careless extends Hub {
  fail(): never {
    throw new Error('boom');
  }
}

const broken: Record<string, Logger['error']> = {
  throws: () => {
    throw new Error('the disk is full');
  },
  rejects: () => Promise.reject(new Error('the disk is full')) as unknown as undefined,
};

test.each(Object.keys(broken))('a logger that %s breaks nothing', async (how) => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  const log = broken[how]!;
  const logger = { info: log, warn: log, error: log };
  const { trunk } = await serve(Careless, { server: { logger } });
  const client = trunk.open();
  client.call('fail');
  client.call('fail', [], '2');
  expect(await client.text(2)).toContain("error occurred invoking 'fail' on the server.");
  expect(said).toHaveBeenCalledWith(
    'the logger failed:',
    expect.objectContaining({ message: 'the disk is full' }),
    'on:',
    'hub method Careless.fail threw',
  );
  said.mockRestore();
});
