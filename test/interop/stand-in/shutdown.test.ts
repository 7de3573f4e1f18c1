import { type DotnetStandIn, PROFILE_NAMES, type ShutdownMode } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { fate, type ProtocolName, TEST_MS, unique, World } from './world.ts';

const MODES: readonly ShutdownMode[] = ['Off', 'WaitForClientsClose', 'MigrateClients'];
const ROWS = PROFILE_NAMES.flatMap((profile) => MODES.map((shutdown) => ({ profile, shutdown })));
/** For what would take 30 s if the edge did not do its part. */
const SOON_MS = 5_000;
const CUT_OFF = 'The app server was lost while it worked on this call';

/** SIGTERM at an app server (service protocol reference, section 20.8). */
describe.concurrent.each(ROWS)('$profile stops in mode $shutdown', { timeout: TEST_MS }, (row) => {
  const { profile, shutdown } = row;
  let world: World;

  beforeAll(async () => {
    world = await World.start(['--migration', 'always']);
  });

  afterAll(async () => world[Symbol.asyncDispose]());

  /** One server connection, so that the end of all is heard at once. */
  const options = { shutdown, sticky: 'Preferred', connections: 1 } as const;

  async function startTwo(): Promise<[DotnetStandIn, DotnetStandIn]> {
    const leaving = await world.startApp(profile, options);
    return [leaving, await world.startApp(profile, { ...options, prefix: leaving.prefix })];
  }

  it.each<ProtocolName>(['json', 'messagepack'])(
    'its clients in %s go on at another one and notice nothing',
    async (protocol) => {
      const [leaving, staying] = await startTwo();
      const client = await world.connect(leaving, { protocol });
      const bystander = await world.connect(staying, { protocol });
      const id = await client.id();
      await client.invoke('join', 'g');

      const start = performance.now();
      expect(await leaving.stop()).toEqual({ code: 0, signal: null });
      expect(performance.now() - start).toBeLessThan(SOON_MS);

      expect(await client.invoke('pid')).toBe(staying.pid);
      expect(await client.id()).toBe(id);
      expect(await client.invoke('migratedFrom')).toMatch(/_[0-9a-f]{32}$/);
      await bystander.invoke('relay', ['group', 'g'], ['still a member']);
      expect(await client.numbers(1)).toEqual(['still a member']);
      expect([...client.events.all, ...bystander.events.all]).toEqual([]);
      expect(fate(leaving, id)).toEqual(
        // Old ones just drop their sockets, and nobody runs OnDisconnected.
        profile === '1.15.2' && shutdown === 'Off'
          ? ['connecting', 'connected']
          : ['connecting', 'connected', 'disconnected'],
      );
      expect(fate(staying, id)).toEqual(['connecting', 'connected']);
      expect(world.complaints()).toEqual([]);
    },
  );

  it('a call that runs is answered first, if that is possible', async () => {
    const [leaving, staying] = await startTwo();
    const [client, idle] = [await world.connect(leaving), await world.connect(leaving)];
    const gate = unique('gate ');
    const outcome = client.invoke('pass', gate).then(
      () => 'answered',
      (error: Error) => error.message,
    );
    await client.invoke('echo', 'the call is there');
    const stopped = leaving.stop();
    await world.eventually(async () => expect(await idle.invoke('pid')).toBe(staying.pid));
    const behind = client.invoke('pid');
    const cutOff = profile === '1.15.2' && shutdown === 'Off';
    if (!cutOff) await leaving.control({ do: 'open', gate });
    expect(await outcome).toMatch(cutOff ? CUT_OFF : 'answered');
    expect(await behind).toBe(staying.pid);
    expect((await stopped).code).toBe(0);
    expect(client.events.all).toEqual([]);
  });

  it('the only one: its clients wait for the next', async () => {
    const leaving = await world.startApp(profile, options);
    const client = await world.connect(leaving);
    const id = await client.id();
    await leaving.stop();
    const behind = client.invoke('pid');
    const next = await world.startApp(profile, { ...options, prefix: leaving.prefix });
    expect(await behind).toBe(next.pid);
    expect(await client.id()).toBe(id);
    expect(client.events.all).toEqual([]);
  });
});
