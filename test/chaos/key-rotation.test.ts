import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { census } from './census.ts';
import { Bystander } from './bystander.ts';
import { CONNECTIONS } from './start-app-server.ts';
import { World } from './world.ts';

const OLD = 'the-key-that-goes-0123456789abcdefghijklmnop';
const NEW = 'the-key-that-comes-0123456789abcdefghijklmno';

it('access keys are rotated: live connections stay, new ones need the new key', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-keys-'));
  const file = join(folder, 'edge.json');
  const write = (...accessKeys: string[]): Promise<void> =>
    writeFile(file, JSON.stringify({ accessKeys }));
  try {
    await write(OLD);
    await using world = await World.start({ args: ['--config', file], key: OLD });
    const bystander = new Bystander(await world.connect());
    const rotateTo = async (...keys: string[]): Promise<void> => {
      const before = world.edge.output().length;
      await write(...keys);
      process.kill(world.edge.pid, 'SIGHUP');
      await world.eventually(() =>
        expect(world.edge.output().slice(before)).toContain('"access keys read again"'),
      );
    };
    await expect(world.connect({ key: NEW })).rejects.toThrow("Status code '401'");

    await rotateTo(NEW, OLD);
    const both = [await world.connect({ key: OLD }), await world.connect({ key: NEW })];
    await rotateTo(NEW);
    await expect(world.connect({ key: OLD })).rejects.toThrow("Status code '401'");
    await expect(world.startApp({ key: OLD })).rejects.toThrow('answered 401: the AccessKey');
    expect((await census(world.edge)).servers).toBe(CONNECTIONS);
    for (const client of both) expect(await client.invoke('echo', 'here')).toBe('here');

    // The new key serves: the app server that has it takes over from the one that has not.
    await world.startApp({ name: 'new', key: NEW });
    await world.apps[0]!.stop();
    for (const client of both.slice(1)) await client.event('reconnected');
    expect([...(await world.servedBy(both.slice(1))).keys()]).toEqual(['new']);
    void bystander;
    await world.expectNothingLeft(CONNECTIONS);
  } finally {
    await rm(folder, { recursive: true });
  }
}, 60_000);
