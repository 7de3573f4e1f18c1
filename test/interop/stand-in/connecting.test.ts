import { once } from 'node:events';

import { HttpTransportType } from '@microsoft/signalr';
import { type DotnetStandIn, PROFILE_NAMES } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { HubClient, JSON_HANDSHAKE } from '../../edge/support/hub-client.ts';
import { userToken } from '../../edge/support/tokens.ts';
import { fate, type ProtocolName, TEST_MS, World } from './world.ts';

const ROLE = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';
const { WebSockets, ServerSentEvents, LongPolling } = HttpTransportType;

interface About {
  readonly userIdentifier: string | null;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: readonly (readonly [string, string])[];
}

const ANSWER = '{"type":3,"invocationId":"1","result":"here"}\x1e';

/** Opens a WebSocket with these raw headers, calls `echo`, and resolves to all that is heard. */
async function callRaw(world: World, app: DotnetStandIn, headers: string[][]): Promise<string> {
  const hub = `${app.prefix}main`;
  const url = `${world.edge.url.replace(/^http/, 'ws')}/client/?hub=${hub}`;
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${userToken(hub, undefined)}` },
    finishRequest: (request) => {
      for (const [name, ...values] of headers) request.appendHeader(name!, values);
      request.end();
    },
  });
  let heard = '';
  socket.on('message', (data: Buffer) => (heard += data.toString()));
  await once(socket, 'open');
  socket.send(
    `${JSON_HANDSHAKE}{"type":1,"invocationId":"1","target":"echo","arguments":["here"]}\x1e`,
  );
  await world.eventually(() => expect(heard).toContain(ANSWER));
  socket.close();
  return heard;
}

/** Service protocol reference, sections 20.2 to 20.4, from the edge's side. */
describe.each(PROFILE_NAMES)('clients of an app server on %s', { timeout: TEST_MS }, (profile) => {
  let world: World;
  let app: DotnetStandIn;

  beforeAll(async () => {
    world = await World.start();
    app = await world.startApp(profile);
  });

  afterAll(async () => world[Symbol.asyncDispose]());

  it.each<[string, ProtocolName, HttpTransportType]>([
    ['WebSockets', 'json', WebSockets],
    ['WebSockets', 'messagepack', WebSockets],
    ['server-sent events', 'json', ServerSentEvents],
    ['long polling', 'json', LongPolling],
    ['long polling', 'messagepack', LongPolling],
  ])('are served by %s in %s, and leave without a trace', async (_name, protocol, transport) => {
    const client = await world.connect(app, { protocol, transport });
    const id = await client.id();
    expect(client.connection.connectionId).toBe(id);
    expect(await client.invoke('echo', [1, 'two', null])).toEqual([1, 'two', null]);
    expect(await client.stream('countdown', 3)).toEqual([3, 2, 1]);
    await client.connection.stop();
    await world.eventually(() =>
      expect(fate(app, id)).toEqual(['connecting', 'connected', 'disconnected']),
    );
  });

  it('hear what OnConnected sends behind the handshake response, though it comes before', async () => {
    const client = world.client(app);
    const welcomed = new Promise((resolve) => client.connection.on('welcome', resolve));
    await client.connection.start();
    expect(await welcomed).toBe(client.connection.connectionId);
  });

  it('are known by user id, roles and renamed claims', async () => {
    const claims = { [ROLE]: ['r1', 'r2'], custom: 'é', sub: ['a', 'b'], iss: 'me' };
    const client = await world.connect(app, { identity: { userId: 'alice', claims } });
    const about = await client.invoke<About>('about');
    expect(about.userIdentifier).toBe('alice');
    expect(about.claims).toMatchObject({ [ROLE]: ['r1', 'r2'], custom: 'é' });
    // The older package does not rename the claims that are the token's own, and loses them.
    expect(about.claims['iss']).toBe(profile === '1.34.0' ? 'me' : undefined);
  });

  it('are nobody without a sign-in', async () => {
    const client = await world.connect(app);
    expect(await client.invoke('about')).toMatchObject({ userIdentifier: null, claims: {} });
  });

  it('keep their query and headers', async () => {
    const client = await world.connect(app, {
      query: { tenant: 'a b&c=ü' },
      headers: { 'x-tag': 'blue' },
    });
    const { query, headers } = await client.invoke<About>('about');
    expect(query).toContainEqual(['tenant', 'a b&c=ü']);
    expect(query).toContainEqual(['asrs.op', '/main']);
    expect(headers).toMatchObject({ 'x-tag': 'blue' });
  });

  it.each([
    [
      'keys equal but for case',
      [
        ['X-Tag', '1'],
        ['x-tag', '2'],
      ],
    ],
    ['no value', [['X-Tag', '']]],
    ['junk in X-Forwarded-For', [['X-Forwarded-For', 'junk, 300.1.1.1']]],
    [
      'the marks of a migration',
      [
        ['Asrs-Migrate-From', 'somebody'],
        ['asrs-instance-id', 'x'],
      ],
    ],
  ])('are served with headers that have %s', async (_name, headers) => {
    expect(await callRaw(world, app, headers)).toContain('{}\x1e');
  });

  it('get a result of 3 MB', async () => {
    const client = await world.connect(app);
    expect(await client.invoke<string>('text', 3_000_000)).toHaveLength(3_000_000);
  });

  it('send messages in pieces, and several at once', async () => {
    await using client = await HubClient.open(world.edge.url, { hub: `${app.prefix}main` });
    const call = '{"type":1,"invocationId":"a","target":"echo","arguments":["pieces"]}\x1e';
    client.write(JSON_HANDSHAKE.slice(0, 9));
    client.write(JSON_HANDSHAKE.slice(9) + call.slice(0, 20));
    expect(await client.handshake()).toEqual({});
    client.write(call.slice(20) + call.replace('"a"', '"b"'));
    await client.received.first(({ invocationId }) => invocationId === 'b', 'the second answer');
    const answers = client.received.all.filter(({ type }) => type === 3);
    expect(answers.map(({ invocationId, result }) => [invocationId, result])).toEqual([
      ['a', 'pieces'],
      ['b', 'pieces'],
    ]);
  });

  it.each([
    ['protocol', { protocol: 'zzz', version: 1 }, "The protocol 'zzz' is not supported."],
    [
      'version',
      { protocol: 'json', version: 3 },
      "The server does not support version 3 of the 'json' protocol.",
    ],
  ])('are refused by the hub for a %s that it does not know', async (_name, request, error) => {
    await using client = await HubClient.open(world.edge.url, { hub: `${app.prefix}main` });
    client.write(`${JSON.stringify(request)}\x1e`);
    expect(await client.handshake()).toEqual({ error });
    await client.closed;
  });

  it('give the app server nothing to complain about', () => {
    expect(world.complaints()).toEqual([]);
  });
});
