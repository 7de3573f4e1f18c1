import { type DotnetStandIn, PROFILE_NAMES } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { HubClient } from '../../edge/support/hub-client.ts';
import { fate, TEST_MS, unique, World } from './world.ts';

const WITH_ERROR = { type: 7, error: 'Connection closed with an error.', allowReconnect: true };
const LIVED = ['connecting', 'connected', 'disconnected'];

/** Service protocol reference, section 20.6, from the edge's side. */
describe.each(PROFILE_NAMES)('connections of an app on %s end', { timeout: TEST_MS }, (profile) => {
  let world: World;
  let app: DotnetStandIn;

  beforeAll(async () => {
    world = await World.start();
    app = await world.startApp(profile);
  });

  afterAll(async () => world[Symbol.asyncDispose]());

  const expectFate = (id: string, expected: unknown[]): Promise<void> =>
    world.eventually(() => expect(fate(app, id)).toEqual(expected));

  it('by Context.Abort(), for good', async () => {
    const client = await world.connect(app);
    const id = await client.id();
    await client.connection.send('abort');
    expect(await client.event('closed')).toEqual({ type: 'closed', error: undefined });
    await expectFate(id, LIVED);
  });

  it('by Context.Abort() behind a send to the caller, which comes first', async () => {
    const client = await world.observe(app);
    client.send('relay', ['caller'], ['bye']);
    client.send('abort');
    await client.closed;
    expect(client.received.all.slice(-2)).toEqual([
      { type: 1, target: 'message', arguments: ['bye'] },
      { type: 7 },
    ]);
  });

  it("by the client's own close message", async () => {
    const client = await world.observe(app);
    client.write('{"type":7}\x1e');
    await client.closed;
    expect(client.received.all.at(-1)).toEqual({ type: 7 });
    await expectFate(client.connectionId, LIVED);
  });

  it('with the client that leaves', async () => {
    const client = await world.connect(app);
    const id = await client.id();
    await client.connection.stop();
    await world.eventually(() => expect(fate(app, id)).toEqual(LIVED));
  });

  it('with the client that is cut off', async () => {
    const network = await world.network();
    const client = await HubClient.connect(network.url, { hub: `${app.prefix}main` });
    for (const link of network.links) link.reset();
    await world.eventually(() => expect(fate(app, client.connectionId)).toEqual(LIVED));
  });

  it.each([
    ['junk', 'junk\x1e'],
    ['a message without a type', '{}\x1e'],
  ])('with an error for %s', async (_name, bytes) => {
    const client = await world.observe(app);
    client.write(bytes);
    await client.closed;
    expect(client.received.all.at(-1)).toEqual(WITH_ERROR);
    await expectFate(client.connectionId, [
      'connecting',
      'connected',
      expect.stringMatching(/^disconnected: /),
    ]);
  });

  it('with an error when a client that has pinged falls silent', async () => {
    const client = await world.observe(app, 'impatient');
    client.write('{"type":6}\x1e');
    await client.closed;
    expect(client.received.all.at(-1)).toEqual(WITH_ERROR);
    await expectFate(client.connectionId, [
      'connecting',
      'connected',
      "disconnected: Client hasn't sent a message.",
    ]);
  });

  it('with the text that OnConnected refuses with', async () => {
    const client = world.client(app, { query: { refusal: 'not you' } });
    // The close may come together with the handshake response, and then it does not start.
    const told = client.connection.start().then(
      async () => (await client.event('closed')).error,
      (error: Error) => error.message,
    );
    expect(await told).toContain('Connection closed with an error. HubException: not you');
  });

  it('by the edge, which the hub takes for no error, while a call runs too', async () => {
    const gate = unique('gate ');
    const client = await world.connect(app, { identity: { signInSeconds: 2 } });
    const id = await client.id();
    const failure = client.failure('pass', gate);
    await client.event('reconnecting');
    expect(await failure).not.toBe('');
    await app.control({ do: 'open', gate });
    await expectFate(id, LIVED);
    await client.event('reconnected');
    expect(await client.invoke('echo', 'back')).toBe('back');
  });

  it('and the app server has nothing to complain about', () => {
    expect(world.complaints()).toEqual([]);
  });
});
