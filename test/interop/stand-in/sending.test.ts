import { type DotnetStandIn, PROFILE_NAMES } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Client } from '../../conformance/client.ts';
import { type ProtocolName, TEST_MS, unique, World } from './world.ts';

/** ME calls; OTHER is in the same process, in MessagePack; REMOTE is in another one. */
const NAMES = ['ME', 'OTHER', 'REMOTE', 'OUTSIDER'] as const;

type Name = (typeof NAMES)[number];

interface Row {
  readonly call: string;
  /** The selector of `Clients`, and its arguments, with names for connection ids. */
  readonly to: readonly (string | readonly string[])[];
  /** Who hears it. */
  readonly heard: readonly Name[];
}

/** Service protocol reference, section 20.5. All but OUTSIDER are in g; REMOTE in h too. */
const ROWS: readonly Row[] = [
  { call: 'All', to: ['all'], heard: NAMES },
  { call: 'AllExcept', to: ['allExcept', ['OTHER', 'REMOTE']], heard: ['ME', 'OUTSIDER'] },
  { call: 'Others', to: ['others'], heard: ['OTHER', 'REMOTE', 'OUTSIDER'] },
  { call: 'Caller', to: ['caller'], heard: ['ME'] },
  { call: 'Client(ME)', to: ['client', 'ME'], heard: ['ME'] },
  { call: 'Client(OTHER)', to: ['client', 'OTHER'], heard: ['OTHER'] },
  { call: 'Client(REMOTE)', to: ['client', 'REMOTE'], heard: ['REMOTE'] },
  { call: 'Clients', to: ['clients', ['ME', 'OTHER']], heard: ['ME', 'OTHER'] },
  { call: 'Group', to: ['group', 'g'], heard: ['ME', 'OTHER', 'REMOTE'] },
  { call: 'GroupExcept', to: ['groupExcept', 'g', ['OTHER']], heard: ['ME', 'REMOTE'] },
  { call: 'OthersInGroup', to: ['othersInGroup', 'g'], heard: ['OTHER', 'REMOTE'] },
  { call: 'Groups', to: ['groups', ['h', 'g']], heard: ['ME', 'OTHER', 'REMOTE'] },
  { call: 'User', to: ['user', 'u'], heard: ['OTHER', 'OUTSIDER'] },
  { call: 'Users', to: ['users', ['u', 'v']], heard: ['OTHER', 'REMOTE', 'OUTSIDER'] },
  { call: 'Clients of none', to: ['clients', []], heard: [] },
  { call: 'Users of none', to: ['users', []], heard: [] },
  { call: 'Groups of none', to: ['groups', []], heard: [] },
];

const OF_CALLERS_ALONE = ['Others', 'Caller', 'OthersInGroup'];

describe.each(PROFILE_NAMES)('sends of an app on %s', { timeout: TEST_MS }, (profile) => {
  let world: World;
  let app: DotnetStandIn;
  let clients: Readonly<Record<Name, Client>>;
  let ids: Map<string, string>;
  const sent = new Map<string, readonly Name[]>();

  /** Puts connection ids where the row has names. */
  const named = (value: string): string => ids.get(value) ?? value;
  const addressed = ({ to }: Row): unknown[] =>
    to.map((part) => (typeof part === 'string' ? named(part) : part.map(named)));

  /** Who has heard of the tag, as often as they have. */
  const hearers = (tag: string): Name[] =>
    NAMES.flatMap((name) =>
      clients[name].messages.all.filter(([first]) => first === tag).map(() => name),
    );

  /** Acts, and waits until as many have heard as should. */
  async function heardOf(
    { call, heard }: Row,
    act: (tag: string) => Promise<unknown>,
  ): Promise<Name[]> {
    const tag = unique(`${call} `);
    sent.set(tag, heard);
    await act(tag);
    await world.eventually(() => expect(hearers(tag).length).toBeGreaterThanOrEqual(heard.length));
    return hearers(tag);
  }

  beforeAll(async () => {
    world = await World.start();
    app = await world.startApp(profile, { sticky: 'Preferred' });
    const far = await world.startApp(profile, { prefix: app.prefix, sticky: 'Preferred' });
    const main = { app, protocol: 'json' } as const;
    clients = {
      ME: await join(world, main),
      OTHER: await join(world, { ...main, protocol: 'messagepack', userId: 'u' }),
      REMOTE: await join(world, { ...main, app: far, userId: 'v' }),
      OUTSIDER: await join(world, { ...main, app: far, protocol: 'messagepack', userId: 'u' }),
    };
    ids = new Map();
    for (const name of NAMES) ids.set(name, await clients[name].id());
    for (const name of ['ME', 'OTHER', 'REMOTE'] as const) await clients[name].invoke('join', 'g');
    await clients.REMOTE.invoke('join', 'h');
  });

  afterAll(async () => world[Symbol.asyncDispose]());

  it.each(ROWS)('from a hub: $call', async (row) => {
    const act = (tag: string): Promise<unknown> =>
      clients.ME.invoke('relay', addressed(row), [tag]);
    expect(await heardOf(row, act)).toEqual(row.heard);
  });

  it.each(ROWS.filter(({ call }) => !OF_CALLERS_ALONE.includes(call)))(
    'from outside a hub: $call',
    async (row) => {
      const to = addressed(row);
      const act = (tag: string): Promise<void> =>
        app.control({ do: 'send', hub: 'main', to, args: [tag] });
      expect(await heardOf(row, act)).toEqual(row.heard);
    },
  );

  it('reach nobody else, and nobody twice, even later', () => {
    for (const [tag, heard] of sent) expect(hearers(tag)).toEqual(heard);
  });

  it('AddToGroupAsync and RemoveFromGroupAsync are in force when they return', async () => {
    const group = unique('g');
    for (const change of ['add', 'remove'] as const) {
      const connectionId = ids.get('REMOTE')!;
      await app.control({ do: change, hub: 'main', connectionId, group });
      await clients.ME.invoke('relay', ['group', group], [`${change} ${group}`]);
    }
    await clients.ME.invoke('relay', ['all'], [`end ${group}`]);
    await world.eventually(() => expect(hearers(`end ${group}`)).toEqual(NAMES));
    expect(hearers(`add ${group}`)).toEqual(['REMOTE']);
    expect(hearers(`remove ${group}`)).toEqual([]);
  });

  // Older ones give group commands to any of their connections, where one may overtake a send before it.
  it.for(PROFILE_NAMES.filter((name) => name === '1.34.0' && name === profile))(
    'group commands are in order with what the hub sends in between',
    async () => {
      const client = await join(world, { app, protocol: 'json' });
      await client.invoke('visit', unique('g'));
      expect(await client.numbers(1)).toEqual([2]);
    },
  );

  it('group commands for a connection that is not there end without an error', async () => {
    const command = { hub: 'main', connectionId: 'nobody', group: 'g' };
    await app.control({ do: 'add', ...command });
    await app.control({ do: 'remove', ...command });
    expect(world.complaints()).toEqual([]);
  });

  it('keep their order for each client', async () => {
    const client = await join(world, { app, protocol: 'json' });
    await client.invoke('count', 500);
    expect(await client.numbers(500)).toEqual(Array.from({ length: 500 }, (_, n) => n));
  });
});

async function join(
  world: World,
  { app, protocol, userId }: { app: DotnetStandIn; protocol: ProtocolName; userId?: string },
): Promise<Client> {
  return world.connect(app, { protocol, identity: userId === undefined ? {} : { userId } });
}
