import { once } from 'node:events';

import { startChat, startEdge } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { FakeRestService } from '../../../packages/sdk/src/rest/fake-rest-service.test-support.ts';
import { type Answer, call } from '../../edge/support/rest.ts';
import { HUB_EXAMPLES, importsOf, readExamples } from './examples.ts';
import { connectionStringOf, Stage, unsaid } from './stage.ts';

const TOKEN = 'ada-1815';
const ADA = { authorization: `Bearer ${TOKEN}` };

const POLL = { timeout: 5000 };

const examples = await readExamples();
let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set(examples);
});
afterAll(() => stage?.strike());

/** The claims of the token that negotiate answers with. */
function claimsOf(negotiated: unknown): Record<string, unknown> {
  const { accessToken } = negotiated as { accessToken: string };
  const payload = Buffer.from(accessToken.split('.')[1]!, 'base64url').toString();
  return JSON.parse(payload) as Record<string, unknown>;
}

async function negotiate(path: string, headers: Record<string, string>): Promise<Response> {
  return fetch(`${stage.url}${path}/negotiate`, { method: 'POST', headers });
}

test('every example compiles', async () => {
  expect(await stage.compile()).toBe('');
});

describe('quick start', () => {
  test('beside the chat sample, on one edge', async () => {
    await using sample = await startChat({ edgeUrl: stage.edge.url });
    await expect.poll(() => unsaid(sample, 'connected to the edge'), POLL).toEqual([]);
    await using _server = await stage.run('server.ts');
    // Of clients under a shared key about one in two would go to the sample, which has no `send`.
    for (let n = 0; n < 4; n++) {
      await using ada = await stage.visit('/chat', TOKEN);
      await ada.invoke('send', 'ada', 'hello');
      await using page = await stage.visit(`${sample.url}/chat`, TOKEN);
      expect(await page.invoke('rooms')).toEqual([]);
    }
  });

  test.each(['client.ts', 'front-end.ts'])('server.ts serves %s', async (client) => {
    await using _server = await stage.run('server.ts');
    await using running = await stage.run(client);
    await expect.poll(() => unsaid(running, 'ada: hello'), POLL).toEqual([]);
  });

  test('stop.ts ends the server', async () => {
    await using server = await stage.run('stop.ts');
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('negotiate', () => {
  const DOORS = ['with-fastify.ts', 'with-express.ts', 'with-connect.ts', 'with-node.ts'];
  test.each(DOORS)('%s', async (door) => {
    await using _app = await stage.run(door);
    await using ada = await stage.visit('/chat', TOKEN);
    await ada.invoke('send', 'ada', 'hello');
    expect(ada.messages.all).toEqual([['ada', 'hello']]);
    const home = await fetch(stage.url);
    expect(await home.text()).toBe('home');
    const claims = claimsOf(await (await negotiate('/chat', ADA)).json());
    expect(Object.values(claims)).toContain('ada');
    const roles = door === 'with-fastify.ts' ? ['admin', 'author'] : undefined;
    expect(claims['role']).toEqual(roles);
  });

  test('with-hono.ts', async () => {
    const request = `new Request('http://hono/chat/negotiate', {
      method: 'POST', headers: ${JSON.stringify(ADA)} })`;
    await using app = await stage.run(
      'with-hono.ts',
      `console.log(await (await example.default.request('/')).text());
       console.log(await (await example.default.request(${request})).text());`,
    );
    const [home, answer = ''] = app.output().split('\n');
    expect(home).toBe('home');
    expect(Object.values(claimsOf(JSON.parse(answer)))).toContain('ada');
  });
});

test('members.ts', async () => {
  await using _app = await stage.run('members.ts');
  expect((await negotiate('/members', {})).status).toBe(401);
  await using ada = await stage.visit('/members', TOKEN);
  await ada.invoke('send', 'ada', 'hello');
  expect(ada.messages.all).toEqual([['ada', 'hello']]);
});

test('filters.ts', async () => {
  await using app = await stage.run('filters.ts');
  const ada = await stage.join('filtered', { userId: 'ada' });
  await ada.invoke('send', 'ada', 'hello');
  expect(await ada.failure('send', 'ada', 'damn')).toContain('Mind your language.');
  await ada.connection.stop();
  await expect
    .poll(() => unsaid(app, 'ada is here', 'send of ada: ', 'ada has gone'), POLL)
    .toEqual([]);
});

test('stock.ts', async () => {
  await using _app = await stage.run('stock.ts');
  await using ada = await stage.join('stock');
  expect(await ada.invoke('count', 'tea')).toBe(3);
  expect(await ada.invoke('count', 'coffee')).toBe(0);
});

test('options.ts', async () => {
  await using _app = await stage.run('options.ts');
  const ada = await stage.join('support');
  await ada.invoke('send', 'ada', 'x'.repeat(20_000));
  await ada.connection.send('send', 'ada', 'x'.repeat(40_000));
  const { error } = await ada.event('closed');
  expect(error).toContain('maximum message size of 32768B');
});

test('events.ts', async () => {
  await using app = await stage.run('events.ts');
  const ada = await stage.join('watched', { userId: 'ada' });
  await ada.connection.stop();
  const up = `watched ${new URL(stage.edge.url).host} 5`;
  await expect.poll(() => unsaid(app, up, 'ada is at watched', 'ada has left'), POLL).toEqual([]);
});

test('health.ts', async () => {
  await using _app = await stage.run('health.ts');
  const health = await fetch(stage.url);
  expect(health.status).toBe(200);
  expect(await health.json()).toMatchObject({ status: 'up', hubs: [{ hub: 'chat', clients: 0 }] });
  const metrics = await (await fetch(`${stage.url}/metrics`)).text();
  expect(metrics).toContain('trunkline_sdk_clients{hub="chat"');
});

test('tracing.ts', async () => {
  await using app = await stage.run('tracing.ts');
  await using ada = await stage.join('chat');
  await ada.invoke('send', 'ada', 'hello');
  await expect.poll(() => unsaid(app, "name: 'chat/send'"), POLL).toEqual([]);
});

test('sending.ts', async () => {
  await using _server = await stage.run('server.ts');
  await using ada = await stage.join('chat', { userId: 'ada' });
  await using bob = await stage.join('chat', { userId: 'bob' });
  const ids = [ada, bob].map(({ connection }) => JSON.stringify(connection.connectionId));
  await using _sender = await stage.run(
    'sending.ts',
    `await example.announce('hello', ${ids.join(', ')});`,
  );
  const toBob = ['all', 'clients', 'send', 'users'];
  const toAda = ['allExcept', 'client', 'group', 'groupExcept', 'groups', 'user', ...toBob];
  expect(new Set(await ada.numbers(toAda.length))).toEqual(new Set(toAda));
  expect(new Set(await bob.numbers(toBob.length))).toEqual(new Set(toBob));
});

test('signing-in-anew.ts', async () => {
  await using app = await stage.run('signing-in-anew.ts');
  const ada = { 'x-user': 'ada' };
  const post = async (url: string, headers: Record<string, string>) => {
    const response = await fetch(url, { method: 'POST', headers: { ...ada, ...headers } });
    return (await response.json()) as Record<string, string>;
  };
  const found = await post(`${stage.url}/bank/negotiate?negotiateVersion=1`, { 'x-level': 'low' });
  expect(found['tokenLifetimeSeconds']).toBeGreaterThan(500);
  const authorization = `Bearer ${found['accessToken']}`;
  const { connectionToken } = await post(found['url']!.replace('/client/', '/client/negotiate'), {
    authorization,
  });
  const url = `${found['url']!.replace(/^http/, 'ws')}&id=${connectionToken}`;
  const socket = new WebSocket(url, { headers: { authorization } });
  const heard: string[] = [];
  socket.on('message', (data) => heard.push(String(data as Buffer)));
  await once(socket, 'open');
  socket.send('{"protocol":"json","version":1}\x1e');
  await expect.poll(() => heard.join(''), POLL).toContain('{}\x1e');
  const token = { 'x-signalr-connection-token': connectionToken! };
  const answer = await post(`${stage.url}/bank/refresh`, { 'x-level': 'high', ...token });
  expect(Object.keys(answer)).toEqual(['accessToken', 'tokenLifetimeSeconds']);
  await expect.poll(() => unsaid(app, 'ada is high now'), POLL).toEqual([]);
  socket.send('{"type":1,"invocationId":"1","target":"level","arguments":[]}\x1e');
  await expect.poll(() => heard.join(''), POLL).toContain('"result":"high"');
  const stranger = { ...token, 'x-user': 'eve' };
  expect(await post(`${stage.url}/bank/refresh`, stranger)).toEqual({
    error: 'permission_change_rejected',
  });
  socket.close();
});

test('managing.ts', async () => {
  await using _server = await stage.run('server.ts');
  await using ada = await stage.join('chat', { userId: 'ada' });
  await using bob = await stage.join('chat', { userId: 'bob' });
  await using carol = await stage.join('chat', { userId: 'carol' });
  const id = JSON.stringify(carol.connection.connectionId);
  await using running = await stage.run('managing.ts', `await example.clearUp(${id});`);
  expect((await bob.event('closed'))['error']).toContain('See you tomorrow.');
  await carol.event('closed');
  const member = `${ada.connection.connectionId} ada`;
  await expect.poll(() => unsaid(running, member, '1 undefined'), POLL).toEqual([]);
});

test('presence.ts', async () => {
  const inLobby = (user: string): Promise<Answer> =>
    call(stage.edge.url, `PUT /api/hubs/chat/users/${user}/groups/lobby`);
  await inLobby('ada');
  await using app = await stage.run('presence.ts');
  const ada = await stage.join('chat', { userId: 'ada' });
  const { connectionId } = ada.connection;
  await expect.poll(() => unsaid(app, `ada is here ${connectionId}`), POLL).toEqual([]);
  await ada.connection.stop();
  await expect.poll(() => unsaid(app, 'ada has left'), POLL).toEqual([]);
});

test('endpoints.ts', async () => {
  const [west, spare] = await Promise.all([startEdge(), startEdge()]);
  await using _edges = {
    [Symbol.asyncDispose]: () => Promise.all([west.stop(), spare.stop()]).then(() => {}),
  };
  await using app = await stage.run(
    'endpoints.ts',
    `await example.everywhere.clients.all.message('ada', 'hello');
     console.log(await example.answer.text());`,
    {
      EAST: connectionStringOf(stage.edge),
      WEST: connectionStringOf(west),
      SPARE: connectionStringOf(spare),
    },
  );
  const [answer = ''] = app.output().split('\n');
  const { url } = JSON.parse(answer) as { url: string };
  expect(new URL(url).origin).toBe(west.url);
});

test('manager.ts', async () => {
  const service = await FakeRestService.start();
  await using _service = { [Symbol.asyncDispose]: () => service.stop() };
  for (const [id, user] of [
    ['a', 'ada'],
    ['b', 'bob'],
    ['c', undefined],
  ] as const) {
    service.connect(id, user);
    service.connections.get(id)!.groups.add('lobby');
  }
  await using running = await stage.run('manager.ts', '', {
    TRUNKLINE_CONNECTION_STRING: service.connectionString,
  });
  expect([...service.connections.keys()]).toEqual(['a']);
  expect(service.members('members')).toEqual(['a']);
  expect(running.output()).toContain(`${service.url}/client/?hub=chat`);
});

test('errors.ts', async () => {
  await using running = await stage.run('errors.ts');
  await expect
    .poll(() => unsaid(running, "bad-options 'no hub name' is no hub name"), POLL)
    .toEqual([]);
});

test('every example has been run, here or as a hub', () => {
  const hubs = Object.keys(HUB_EXAMPLES);
  const run = new Set([...stage.ran, ...hubs, ...[...examples.values()].flatMap(importsOf)]);
  expect([...examples.keys()].filter((name) => !run.has(name))).toEqual([]);
});
