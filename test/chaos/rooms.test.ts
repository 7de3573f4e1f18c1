import { describe, expect, it } from 'vitest';

import type { Client } from '../conformance/client.ts';
import { expectMovedTo, expectToldAndServedBy, twoApps } from './two-apps.ts';
import { TEST_MS, World, type WorldOptions } from './world.ts';

type Case = [WorldOptions['migration'], 'kill' | 'stop'];

/** Each is in a room of its own, and enters it again whenever it has reconnected. */
async function enterRooms(clients: readonly Client[]): Promise<void> {
  await Promise.all(
    clients.map((client, n) => {
      client.connection.onreconnected(() => void client.invoke('enter', `room ${n}`));
      return client.invoke('enter', `room ${n}`);
    }),
  );
}

/** An app that keeps in its process, by connection id, who is where: it can bear no move unawares. */
describe.concurrent('clients in rooms that their app server knows', { timeout: TEST_MS }, () => {
  it.each<Case>([
    ['off', 'kill'],
    ['off', 'stop'],
    ['shutdown', 'kill'],
  ])('are told, and in their rooms again: migration %s, %s', async (migration, leave) => {
    await using world = await World.start({
      apps: ['A', 'B'],
      migration,
    });
    const { ofA, bystander } = await twoApps(world);
    await enterRooms(ofA);
    await world.apps[0]![leave]();
    await expectToldAndServedBy(world, ofA, 'B');
    const rooms = await Promise.all(ofA.map((client) => client.invoke('room')));
    expect(rooms).toEqual(ofA.map((_client, n) => `room ${n}`));
    await bystander.expectUndisturbed();
  });

  it.each<Case>([
    ['always', 'kill'],
    ['always', 'stop'],
    ['shutdown', 'stop'],
  ])(
    'are moved, and in no room, where the app has asked for it: migration %s, %s',
    async (migration, leave) => {
      await using world = await World.start({ apps: ['A', 'B'], migration });
      const { ofA } = await twoApps(world);
      await enterRooms(ofA);
      await world.apps[0]![leave]();
      await expectMovedTo(world, ofA, 'B');
      expect(await ofA[0]!.failure('room')).toContain('You are in no room.');
    },
  );
});
