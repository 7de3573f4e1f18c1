import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { bystand } from './bystander.ts';
import { expectCloses, expectNothingLeft } from './expectations.ts';
import { CONNECTIONS } from './start-app-server.ts';
import { TEST_MS, World } from './world.ts';

const OLD = 'the-key-that-goes-0123456789abcdefghijklmnop';
const NEW = 'the-key-that-comes-0123456789abcdefghijklmno';

it(
  'rotated access keys: live connections stay, new ones need the new key',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-keys-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'edge.json');
    const write = (...accessKeys: string[]): Promise<void> =>
      writeFile(file, JSON.stringify({ accessKeys }));
    await write(OLD);
    await using world = await World.start({ args: ['--config', file], key: OLD });
    const rotateTo = async (...keys: string[]): Promise<void> => {
      const before = world.edge.output().length;
      await write(...keys);
      process.kill(world.edge.pid, 'SIGHUP');
      await world.eventually(() =>
        expect(world.edge.output().slice(before)).toContain('"access keys read again"'),
      );
    };
    const bystander = bystand(await world.connect());
    await expect(world.connect({ key: NEW })).rejects.toThrow("Status code '401'");

    await rotateTo(NEW, OLD);
    const withOld = await world.connect({ key: OLD });
    const withNew = await world.connect({ key: NEW });
    await rotateTo(NEW);
    await expect(world.connect({ key: OLD })).rejects.toThrow("Status code '401'");
    await expect(world.startApp({ key: OLD })).rejects.toThrow('answered 401: the AccessKey');
    expect(await withOld.invoke('echo', 'old')).toBe('old');
    await bystander.expectUndisturbed();
    await expectCloses(world, { clients: {}, servers: {} });

    // The app server that has the new key takes over from the one that lives on with the old.
    await world.startApp({ name: 'new', key: NEW });
    await world.apps[0]!.stop();
    expect(await withNew.invoke('server')).toBe('new');
    expect(withNew.events.all).toEqual([]);
    await expectNothingLeft(world, CONNECTIONS);
  },
  TEST_MS,
);
