import { HttpTransportType } from '@microsoft/signalr';
import { deadline, type DotnetStandIn, PROFILE_NAMES, type ProfileName } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Network } from '../../chaos/network.ts';
import type { Client } from '../../conformance/client.ts';
import { fate, type ProtocolName, TEST_MS, unique, World } from './world.ts';

const { WebSockets, ServerSentEvents, LongPolling } = HttpTransportType;
const CUT_OFF = 'The app server was lost while it worked on this call';
/** For what needs no waiting. */
const SOON_MS = 5_000;
const STICKY = { sticky: 'Preferred' } as const;
const SERVED = ['connecting', 'connected'];

/** Clients whose server connection is lost (service protocol reference, sections 20.9 and 20.10). */
describe.concurrent.each(PROFILE_NAMES)(
  'clients of an app on %s',
  { timeout: TEST_MS },
  (profile) => {
    let world: World;

    beforeAll(async () => {
      world = await World.start(['--migration', 'always']);
    });

    afterAll(async () => world[Symbol.asyncDispose]());

    /** The same connection, served by this process since it was another's. */
    async function expectMoved(client: Client, id: string, to: DotnetStandIn): Promise<void> {
      expect(await client.invoke('pid')).toBe(to.pid);
      expect(await client.id()).toBe(id);
      expect(await client.invoke('migratedFrom')).toMatch(/_[0-9a-f]{32}$/);
      expect(fate(to, id).slice(-2)).toEqual(SERVED);
      expect(client.events.all).toEqual([]);
    }

    it.each<[string, ProtocolName, HttpTransportType]>([
      ['WebSockets', 'json', WebSockets],
      ['WebSockets', 'messagepack', WebSockets],
      ['server-sent events', 'json', ServerSentEvents],
      ['long polling', 'messagepack', LongPolling],
    ])(
      'go on at another process when theirs is killed: %s, %s',
      async (_n, protocol, transport) => {
        const killed = await world.startApp(profile, STICKY);
        const client = await world.connect(killed, { protocol, transport });
        const id = await client.id();
        await client.invoke('join', 'g');
        await client.invoke('keep', 1);
        const next = await world.startApp(profile, { ...STICKY, prefix: killed.prefix });
        const bystander = await world.connect(next);
        const running = client.failure('pass', unique('gate '));
        await client.invoke('echo', 'the call is there');

        await killed.kill();
        expect(await running).toContain(CUT_OFF);
        await expectMoved(client, id, next);
        expect(await client.invoke('kept')).toEqual([]);
        expect(await client.stream('countdown', 3)).toEqual([3, 2, 1]);
        await bystander.invoke('relay', ['group', 'g'], ['still a member']);
        await bystander.invoke('relay', ['client', id], ['still the same']);
        expect(new Set(await client.numbers(2))).toEqual(
          new Set(['still a member', 'still the same']),
        );
        await client.invoke('join', 'h');
        await client.connection.stop();
        await world.eventually(() => expect(fate(next, id)).toEqual([...SERVED, 'disconnected']));
        expect(bystander.events.all).toEqual([]);
        expect(world.complaints()).toEqual([]);
      },
    );

    it('go on from one process to the next and the next', async () => {
      let app = await world.startApp(profile, STICKY);
      const clients = await Promise.all(Array.from({ length: 10 }, () => world.connect(app)));
      const ids = await Promise.all(clients.map((client) => client.id()));
      for (let move = 0; move < 3; move++) {
        const next = await world.startApp(profile, { ...STICKY, prefix: app.prefix });
        await app.kill();
        await Promise.all(clients.map((client, at) => expectMoved(client, ids[at]!, next)));
        app = next;
      }
      expect(world.complaints()).toEqual([]);
    });

    it('wait for the next process when the only one is killed', async () => {
      const killed = await world.startApp(profile);
      const client = await world.connect(killed);
      const id = await client.id();
      await killed.kill();
      const behind = client.invoke('echo', 'behind');
      const next = await world.startApp(profile, { prefix: killed.prefix });
      expect(await behind).toBe('behind');
      await expectMoved(client, id, next);
    });

    it('go on at another process when the connection of theirs is cut', async () => {
      const network = await world.network();
      const cut = await world.startApp(profile, { ...STICKY, edgeUrl: network.url });
      const client = await world.connect(cut);
      const id = await client.id();
      const other = await world.startApp(profile, { ...STICKY, prefix: cut.prefix });
      for (const link of network.links.slice()) link.reset();
      await expectMoved(client, id, other);
      await world.eventually(() => expect(fate(cut, id)).toEqual([...SERVED, 'disconnected']));
      expect(world.complaints()).toEqual([]);
    });

    it('go on at another process when theirs is silent, which does not know of it', async () => {
      const network = await world.network();
      const silent = await world.startApp(profile, { ...STICKY, edgeUrl: network.url });
      const client = await world.connect(silent);
      const id = await client.id();
      const other = await world.startApp(profile, { ...STICKY, prefix: silent.prefix });
      for (const link of network.links.slice()) link.stall();
      await world.eventually(() => expect(fate(other, id)).toEqual(SERVED));
      await expectMoved(client, id, other);
      expect(fate(silent, id)).toEqual(SERVED);
    });

    const losses: [string, (app: DotnetStandIn, network: Network) => unknown][] = [
      ['has lost their connection', (_app, { links }) => links.slice().map((link) => link.reset())],
      ['is killed', (app) => app.kill()],
    ];
    it.each(losses)('are closed when they require a process that %s', async (_name, lose) => {
      const network = await world.network();
      const app = await world.startApp(profile, { sticky: 'Required', edgeUrl: network.url });
      const client = await world.connect(app);
      await world.startApp(profile, { prefix: app.prefix });
      await lose(app, network);
      const told = deadline(client.event('reconnecting'), SOON_MS, 'it was not told');
      expect(await told).toEqual({ type: 'reconnecting', error: undefined });
    });
  },
);

/** The lower half of section 20.9: only the process whose connection was cut is there. */
describe.concurrent('clients of an app that lost one of its connections', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start(['--migration', 'always']);
  });

  afterAll(async () => world[Symbol.asyncDispose]());

  /** A client on each of two server connections; the first of them can be cut. */
  async function onTwo(profile: ProfileName, query: Record<string, string> = {}) {
    const network = await world.network();
    const app = await world.startApp(profile, { edgeUrl: network.url });
    const clients = [await world.connect(app, { query }), await world.connect(app, { query })];
    const ids = await Promise.all(clients.map((client) => client.id()));
    // Those of hub `main` are the first.
    const [link] = network.links;
    return { app, clients, ids, link: link! };
  }

  /** Whose OnDisconnected has run. */
  const left = (app: DotnetStandIn, ids: readonly string[]): string[] =>
    ids.filter((id) => fate(app, id).includes('disconnected'));

  it.each([false, true])(
    'at 1.34.0 go on in it once it has replaced the connection; OnDisconnected is slow: %s',
    { timeout: TEST_MS },
    async (slow) => {
      const gate = unique('gate ');
      const { app, clients, ids, link } = await onTwo('1.34.0', slow ? { farewell: gate } : {});
      link.reset();
      await world.eventually(() => {
        expect(ids.map((id) => fate(app, id).length).toSorted((a, b) => a - b)).toEqual([2, 5]);
      });
      const echoes = (value: string): Promise<unknown[]> =>
        Promise.all(clients.map((client) => client.invoke('echo', value)));
      expect(await echoes('before')).toEqual(['before', 'before']);
      // What the process does with the old entry must not touch the new one.
      await app.control({ do: 'open', gate });
      expect(await echoes('after')).toEqual(['after', 'after']);
      expect(await Promise.all(clients.map((client) => client.id()))).toEqual(ids);
      expect(clients.flatMap(({ events }) => events.all)).toEqual([]);
      expect(world.complaints()).toEqual([]);
    },
  );

  it.each<[ProfileName, 'reset' | 'stall', string]>([
    ['1.15.2', 'reset', 'forgets new clients with old ones'],
    ['1.34.0', 'stall', 'has not noticed'],
    ['1.15.2', 'stall', 'has not noticed'],
  ])(
    'at %s come back as new ones after a %s: it %s',
    { timeout: TEST_MS },
    async (profile, how) => {
      const { app, clients, ids, link } = await onTwo(profile);
      link[how]();
      await world.eventually(() => {
        expect(clients.flatMap(({ events }) => events.all)).toEqual([
          { type: 'reconnecting', error: undefined },
          { type: 'reconnected', error: undefined },
        ]);
      });
      const now = await Promise.all(clients.map((client) => client.id()));
      expect(now.filter((id) => !ids.includes(id))).toHaveLength(1);
      expect(left(app, now)).toEqual([]);
      expect(await Promise.all(clients.map((client) => client.invoke('echo', 1)))).toEqual([1, 1]);
    },
  );
});
