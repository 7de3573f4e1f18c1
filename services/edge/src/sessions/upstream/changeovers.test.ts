import { MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { FakeClient, FakeServer } from '../fixtures.test-support.ts';
import { counted, JSON_HANDSHAKE, TestEdge, turn } from '../fixtures.test-support.ts';
import type { TestSettings } from '../test-edge.test-support.ts';
import { FakeUpstream } from './fake-upstream.test-support.ts';
import { UrlTemplate } from './url-template.ts';

const RULE = {
  template: new UrlTemplate('http://app/{event}'),
  hubs: undefined,
  categories: undefined,
  events: undefined,
};
const CALL = '{"type":1,"target":"say","arguments":[],"invocationId":"1"}␞';

let http: FakeUpstream;
let edge: TestEdge;

function start(settings: TestSettings): void {
  http = new FakeUpstream();
  edge = new TestEdge({ withoutServer: 'upstream', upstream: [RULE], ...settings }, { http });
}

beforeEach(() => start({ migration: 'always' }));

async function arrive(
  identity: Parameters<TestEdge['strangeClient']>[0] = {},
): Promise<FakeClient> {
  const client = edge.strangeClient(identity);
  client.says(JSON_HANDSHAKE);
  await turn();
  return client;
}

/** Answers all calls, and says of which events. */
function answerAll(): string[] {
  const events: string[] = [];
  while (http.open.length > 0) {
    events.push(http.next.event);
    http.next.answer(204);
  }
  return events;
}

/** Has the app server of a client answer its handshake. */
async function welcome(server: FakeServer, client: FakeClient): Promise<void> {
  server.data(client, '{}␞');
  await turn();
}

describe('a hub with an app server', () => {
  test('uses it, and its upstream hears nothing', async () => {
    const server = await edge.server();
    const client = await arrive();
    expect(await server.heard()).toContainEqual(['open', client.id, 'json']);
    expect(http.posts).toEqual([]);
  });

  test('that takes no more clients has them wait for it', async () => {
    const server = await edge.server();
    server.session.drain();
    const second = await edge.server({ serverId: 'server-2' });
    second.socket.buffered = 10 * 1024 * 1024;
    second.socket.answer = 0;
    second.session.write({ type: 3, entries: [] });
    await turn();
    const client = await arrive();
    edge.passWith(second, 2);
    expect([client.heard, http.posts]).toEqual([[], []]);
  });
});

describe('clients of an app server that is killed', () => {
  test('go to the upstream and back, and stay connected', async () => {
    const [first, second] = [await edge.server(), await edge.server()];
    const client = await arrive();
    const opened = (await first.heard()).some(([what]) => what === 'open') ? first : second;
    await welcome(opened, client);
    first.socket.leave(1006);
    second.socket.leave(1006);
    edge.pass(1);
    expect(answerAll()).toEqual(['connected']);
    await turn();
    expect(client.heard).toEqual(['{}␞']);
    client.says(CALL);
    expect(answerAll()).toEqual(['say']);
    expect(client.heard.at(-1)).toBe('{"type":3,"invocationId":"1"}␞');

    const next = await edge.server({ serverId: 'server-2' });
    edge.passWith(next, 1);
    expect(answerAll()).toEqual(['disconnected']);
    expect(await next.heard()).toContainEqual(['open', client.id, 'json']);
    client.says(CALL);
    expect(await next.heard()).toContainEqual(['data', client.id, CALL]);
    expect([client.socket.isOpen, http.open]).toEqual([true, []]);
  });

  test('are closed where they may not be moved, and find the upstream when they come back', async () => {
    start({ migration: 'app' });
    const server = await edge.server();
    const client = await arrive();
    await welcome(server, client);
    server.socket.leave(1006);
    edge.pass(1);
    expect(edge.closes).toEqual({ ServerConnectionClosed: 1 });
    await arrive();
    expect(answerAll()).toEqual(['connected']);
  });

  test('come when they are new, too, though another connection of the app server outlived the first by a moment', async () => {
    const [first, second] = [await edge.server(), await edge.server()];
    const client = await arrive();
    const [served, other] = (await first.heard()).some(([what]) => what === 'open')
      ? [first, second]
      : [second, first];
    served.socket.leave(1006);
    await turn();
    other.socket.leave(1006);
    edge.pass(1);
    expect(answerAll()).toEqual(['connected']);
    await turn();
    expect(client.heard).toEqual(['{}␞']);
  });
});

describe('when an app server comes, clients at the upstream', () => {
  test('finish their calls before they go', async () => {
    const client = await arrive();
    answerAll();
    client.says(CALL);
    const server = await edge.server();
    edge.passWith(server, 30);
    expect(http.open).toEqual(['say']);
    expect((await server.heard()).some(([what]) => what === 'open')).toBe(false);
    client.says(CALL.replace('"1"', '"2"'));
    answerAll();
    expect(await server.heard()).toEqual(
      expect.arrayContaining([
        ['open', client.id, 'json'],
        ['data', client.id, CALL.replace('"1"', '"2"')],
      ]),
    );
  });

  test('go though it came before they had their handshake response', async () => {
    const client = edge.strangeClient();
    client.says(JSON_HANDSHAKE);
    const server = edge.strangeServer();
    server.shakesHands();
    edge.pass(1);
    await turn();
    expect([client.heard, answerAll()]).toEqual([['{}␞'], ['connected']]);
    edge.passWith(server, 1);
    expect(await server.heard()).toContainEqual(['open', client.id, 'json']);
  });

  test('come to it as clients that are moved', async () => {
    const client = await arrive();
    answerAll();
    const server = await edge.server();
    edge.passWith(server, 1);
    const messages = await server.messages();
    const opening = messages.find((one) => one.type === MessageType.OpenConnection)!;
    expect(opening.connectionId).toBe(client.id);
    expect(opening.headers.get('Asrs-Migrate-From')).toEqual(['upstream']);
    expect(counted(edge.context.counters.migrations)).toEqual({ moved: 1 });
  });

  test('may be about to be refused', async () => {
    const client = edge.strangeClient();
    client.says('{"protocol":"zzz","version":1}␞');
    const server = edge.strangeServer();
    server.shakesHands();
    edge.pass(1);
    await turn();
    expect([client.socket.isOpen, edge.closes]).toEqual([false, { HandshakeError: 1 }]);
  });

  test('go by 500 a second', async () => {
    const clients = await Promise.all(Array.from({ length: 501 }, () => arrive()));
    answerAll();
    const server = await edge.server();
    edge.passWith(server, 1);
    expect(server.session.clients).toHaveLength(500);
    edge.passWith(server, 1);
    expect(server.session.clients).toHaveLength(clients.length);
  });

  test('stay while it takes nobody, and 100 of them at most are looked at in a second, in turn', async () => {
    const clients = await Promise.all(Array.from({ length: 250 }, () => arrive()));
    answerAll();
    const server = await edge.server();
    server.socket.buffered = 10 * 1024 * 1024;
    server.socket.answer = 0;
    server.session.write({ type: 3, entries: [] });
    await turn();
    const choose = vi.spyOn(edge.hubs.get('chat')!, 'choose');
    edge.passWith(server, 1);
    expect(choose).toHaveBeenCalledTimes(100);
    edge.passWith(server, 2);
    expect(new Set(choose.mock.calls.map(([{ id }]) => id)).size).toBe(250);
    expect(
      clients.every(({ session }) => session.host === edge.context.serverless.hostFor('chat')),
    ).toBe(true);
  });

  test('stay when the edge is about to stop, which sends them away itself', async () => {
    start({ migration: 'always', drainMs: 300_000, drainRate: 0.01 });
    const client = await arrive();
    answerAll();
    client.says(CALL);
    edge.core.draining.begin();
    const server = await edge.server();
    answerAll();
    edge.passWith(server, 2);
    expect((await server.heard()).some(([what]) => what === 'open')).toBe(false);
    expect(client.socket.isOpen).toBe(true);
  });

  test('stay where the operator wants none moved, and new ones go to the app server', async () => {
    start({ migration: 'never' });
    const client = await arrive();
    answerAll();
    const server = await edge.server();
    edge.passWith(server, 5);
    const late = await arrive();
    expect(await server.heard()).toContainEqual(['open', late.id, 'json']);
    client.says(CALL);
    expect(http.open).toEqual(['say']);
  });
});

describe('the policy of a hub', () => {
  const policy = (settings: Pick<TestSettings, 'withoutServer'>) =>
    edge.context.policies.replace({
      named: new Map(),
      others: { withoutServer: 'upstream', migration: 'always', upstream: [RULE], ...settings },
    });

  test('refuse turns clients away at once', async () => {
    start({ withoutServer: 'refuse' });
    await arrive();
    expect(edge.closes).toEqual({ NoAvailableServerConnection: 1 });
    const server = await edge.server();
    const client = await arrive();
    expect(await server.heard()).toContainEqual(['open', client.id, 'json']);
  });

  test('wait has them wait, and another policy is in force for those who do', async () => {
    start({ withoutServer: 'wait' });
    const [client] = [await arrive(), await arrive()];
    edge.pass(2);
    expect([http.posts, client.heard]).toEqual([[], []]);
    policy({ withoutServer: 'upstream' });
    edge.pass(1);
    expect(answerAll()).toEqual(['connected', 'connected']);
    await turn();
    policy({ withoutServer: 'refuse' });
    edge.pass(20);
    await turn();
    // Those whom an upstream serves stay.
    expect([client.socket.isOpen, edge.closes]).toEqual([true, {}]);
    await arrive();
    expect(edge.closes).toEqual({ NoAvailableServerConnection: 1 });
  });

  test('never sends a client to an upstream that requires its app server', async () => {
    await arrive({ affinity: { sticky: 'Required', serverName: 'server-1' } });
    expect(edge.closes).toEqual({ NoAvailableServerConnection: 1 });
    expect(http.posts).toEqual([]);
  });

  test('changes rules for the next event of those who are there', async () => {
    const client = await arrive();
    answerAll();
    const other = { ...RULE, template: new UrlTemplate('http://other/{event}') };
    edge.context.policies.replace({
      named: new Map([
        ['chat', { withoutServer: 'upstream', migration: 'app', upstream: [other] }],
      ]),
      others: { withoutServer: 'wait', migration: 'app', upstream: [] },
    });
    client.says(CALL);
    expect(http.next.request.origin).toBe('http://other');
  });
});

test.each<[string, TestSettings]>([
  ['that has rules', {}],
  ['without rules, of which nothing is counted', { upstream: [] }],
])('a hub %s is forgotten when nobody uses it', async (_hub, settings) => {
  start(settings);
  const client = await arrive();
  answerAll();
  client.socket.leave(1000);
  answerAll();
  expect([...edge.context.serverless.hosts]).toHaveLength(1);
  edge.pass(62);
  expect([...edge.context.serverless.hosts]).toHaveLength(0);
  expect([...edge.context.serverless.counts]).toHaveLength(0);
});
