import { MessageType, ServiceEventKind } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { FakeClient, FakeServer } from './fixtures.test-support.ts';
import { counted, JSON_HANDSHAKE, TestEdge } from './fixtures.test-support.ts';
import { admitted, requestWith, tokenFor } from './client/visits.test-support.ts';

const HUB_CLOSE = '{"type":7,"allowReconnect":true}␞';
const call = (id: number): string =>
  `{"type":1,"invocationId":"${id}","target":"a","arguments":[]}␞`;
const done = (id: number): string => `{"type":3,"invocationId":"${id}","result":1}␞`;

let edge: TestEdge;
let server: FakeServer;

beforeEach(async () => {
  edge = new TestEdge({ drainMs: 30_000, drainRate: 100 });
  server = await edge.server();
});

async function crowd(count: number): Promise<FakeClient[]> {
  const clients: FakeClient[] = [];
  for (let i = 0; i < count; i++) clients.push(await edge.client(server));
  return clients;
}

const draining = (): TestEdge['core']['draining'] => edge.core.draining;
const left = (): number => draining().progress.clients;

/** Whether it is done, from now on. */
function watched(): { isDone: boolean } {
  const watch = { isDone: false };
  draining().whenDone(() => (watch.isDone = true));
  return watch;
}

describe('an edge that drains', () => {
  test('sends its clients away at its pace, to come back, and is done when they have gone', async () => {
    const clients = await crowd(100);
    draining().begin();
    const watch = watched();
    expect(left()).toBe(90);
    edge.time.pass(510);
    // Steps are 75 to 125 ms long.
    expect(left()).toBeGreaterThanOrEqual(30);
    expect(left()).toBeLessThanOrEqual(50);
    expect(watch.isDone).toBe(false);
    edge.time.pass(700);
    expect(watch.isDone).toBe(true);
    expect(clients.map(({ heard }) => heard)).toEqual(clients.map(() => [HUB_CLOSE]));
    expect(edge.closes).toEqual({ Draining: 100 });
    expect(draining().progress).toMatchObject({ state: 'drained', clients: 0 });
  });

  test('goes faster where some would be left at the deadline, and evenly', async () => {
    edge = new TestEdge({ drainMs: 2_000, drainRate: 1 });
    server = await edge.server();
    await crowd(200);
    draining().begin();
    const watch = watched();
    for (let step = 1; step <= 4; step++) {
      const before = left();
      edge.time.pass(500);
      expect(before - left()).toBeGreaterThanOrEqual(30);
      expect(before - left()).toBeLessThanOrEqual(80);
    }
    expect(watch.isDone).toBe(true);
  });

  test('gives calls time, and closes each client when its own have ended', async () => {
    const [idle, busy, later] = await crowd(3);
    busy!.says(call(1));
    later!.says(call(2));
    draining().begin();
    edge.time.pass(5_000);
    expect([idle, busy, later].map((one) => one!.socket.isOpen)).toEqual([false, true, true]);
    // It is served as before, new calls included.
    busy!.says(call(3));
    server.data(busy!, done(1));
    edge.time.pass(1_000);
    expect(busy!.heard).toEqual([done(1)]);
    server.data(busy!, done(3));
    edge.time.pass(200);
    expect(busy!.heard).toEqual([done(1), done(3), HUB_CLOSE]);
    edge.passWith(server, 23);
    expect(later!.socket.isOpen).toBe(true);
    edge.passWith(server, 1);
    expect(later!.heard).toEqual([HUB_CLOSE]);
    expect(draining().progress.state).toBe('drained');
  });

  test('closes at the pace also those whose calls do not end', async () => {
    edge = new TestEdge({ drainMs: 5_000, drainRate: 100 });
    server = await edge.server();
    for (const client of await crowd(100)) client.says(call(1));
    draining().begin();
    edge.time.pass(3_700);
    expect(left()).toBe(100);
    edge.time.pass(800);
    expect(left()).toBeGreaterThan(20);
    expect(left()).toBeLessThan(80);
    edge.time.pass(500);
    expect(left()).toBe(0);
  });

  test('lets clients that are about to be open come in first, so that they are told to come back', async () => {
    const [silent, greeting] = [edge.strangeClient(), edge.strangeClient()];
    draining().begin();
    greeting.says(JSON_HANDSHAKE);
    edge.time.pass(1_900);
    expect([silent.socket.isOpen, greeting.socket.isOpen]).toEqual([true, true]);
    edge.time.pass(300);
    expect([silent.socket.isOpen, greeting.socket.isOpen]).toEqual([false, true]);
    expect(silent.heard).toEqual(['{"error":"Handshake was canceled."}␞']);
    server.data(greeting, '{}␞');
    edge.time.pass(200);
    expect(greeting.heard).toEqual(['{}␞', HUB_CLOSE]);
    expect(draining().progress.state).toBe('drained');
  });

  test('lets in those whose app server is found, and waits for the bus before it is told', async () => {
    const heard: (() => void)[] = [];
    const hub = edge.hubs.open('chat', 'server')!;
    Object.assign(hub, {
      others: { ...hub.others, whenHeard: (then: () => void) => heard.push(then) },
    });
    const client = edge.strangeClient();
    client.says(JSON_HANDSHAKE);
    draining().begin();
    expect([heard.length, client.socket.isOpen]).toEqual([1, true]);
    heard[0]!();
    server.data(client, '{}␞');
    edge.time.pass(200);
    expect(client.heard).toEqual(['{}␞', HUB_CLOSE]);
  });

  test('lets go of clients that wait for an app server', async () => {
    const client = edge.strangeClient({ hub: 'unserved' });
    client.says(JSON_HANDSHAKE);
    draining().begin();
    expect(client.socket.isOpen).toBe(false);
  });

  test('takes no new clients, and those of app servers; one that was told is told no more', async () => {
    draining().begin();
    const token = tokenFor(edge);
    const refusal = { status: 503, headers: { 'retry-after': '1' } };
    expect(edge.connect(requestWith(token, 'hub=chat'))).toMatchObject(refusal);
    expect(edge.negotiate(requestWith(token, 'hub=chat&negotiateVersion=1'))).toMatchObject(
      refusal,
    );
    expect(counted(edge.context.counters.refusals)).toMatchObject({ draining: 2 });
    const another = edge.strangeServer({ serverId: 'server-2' });
    another.shakesHands();
    draining().begin();
    edge.core.closeAll();
    for (const one of [server, another]) {
      const events = (await one.messages()).filter(({ type }) => type === MessageType.ServiceEvent);
      expect(events).toMatchObject([{ kind: ServiceEventKind.Reloading }]);
    }
  });

  test('can be told to go on, and to drain again', async () => {
    await crowd(50);
    draining().begin();
    expect(draining().end()).toBe(true);
    edge.time.pass(5_000);
    expect(draining().progress).toEqual({ state: 'off', clients: 40 });
    const client = admitted(edge.connect(requestWith(tokenFor(edge), 'hub=chat')));
    expect(client.isOpen).toBe(true);
    draining().begin();
    edge.time.pass(1_000);
    expect(left()).toBe(0);
  });

  test('cannot be told so once its process waits for the end', async () => {
    await crowd(50);
    draining().begin();
    const watch = watched();
    expect(draining().end()).toBe(false);
    edge.time.pass(1_000);
    expect(watch.isDone).toBe(true);
    expect(left()).toBe(0);
  });

  test('says how far it is', async () => {
    await crowd(20);
    const since = edge.time.unixSeconds();
    draining().begin();
    const told = { state: 'draining', clients: 10, since, until: since + 30 };
    expect(draining().progress).toEqual(told);
  });
});
