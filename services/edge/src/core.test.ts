import { MessageType } from '@trunkline/protocol';
import { mintServerToken } from '@trunkline/tokens';
import { beforeEach, expect, test } from 'vitest';
import { MemoryBroker } from './bus/memory-bus.ts';
import { ManualTime } from './ports/manual-time.test-support.ts';
import { admitted, requestWith, tokenFor } from './sessions/client/visits.test-support.ts';
import {
  FakeClient,
  FakeServer,
  JSON_HANDSHAKE,
  KEY,
  payloads,
  TestEdge,
  wire,
} from './sessions/fixtures.test-support.ts';
import type { ServerSession } from './sessions/server/server-session.ts';

const WELCOME = '{}␞';
const NEWS = '{"type":1,"target":"news","arguments":[]}␞';
const CALL = '{"type":1,"target":"call","arguments":[]}␞';
const HUB_CLOSE = '{"type":7,"allowReconnect":true}␞';

/** An edge with an app server and a client, who have come in by its doors and shaken hands. */
interface Place {
  readonly edge: TestEdge;
  readonly server: FakeServer;
  readonly client: FakeClient;
}

/** None but the test lets it pass: nothing here waits for anything. */
let time: ManualTime;
let here: Place;
let there: Place;

beforeEach(() => {
  time = new ManualTime();
  const broker = new MemoryBroker(time);
  const edges = ['here', 'there'].map((edgeId) => {
    const joinBus = broker.join.bind(broker, edgeId);
    return new TestEdge({}, { edgeId, time, joinBus });
  });
  // They hear each other's heartbeats, and know who is there.
  time.pass(1_000);
  [here, there] = edges.map(placeOf) as [Place, Place];
});

function placeOf(edge: TestEdge): Place {
  const { edgeId } = edge.context;
  const server = new FakeServer(edge.dial(serversRequest(edgeId)) as ServerSession);
  server.shakesHands();
  // The second edge learns from the first what groups users are in.
  time.pass(0);
  const request = requestWith(tokenFor(edge), 'hub=chat');
  const client = new FakeClient(admitted(edge.connect(request)));
  client.says(JSON_HANDSHAKE);
  server.data(client, WELCOME);
  time.endTurn();
  server.read();
  return { edge, server, client };
}

function serversRequest(serverId: string): ReturnType<typeof requestWith> {
  const now = Math.floor(time.unixSeconds());
  const target = { audienceBase: 'http://e/', hub: 'chat' };
  return requestWith(mintServerToken({ key: KEY, ...target, now, serverId }), 'hub=chat');
}

function saysToAll({ server }: Place): void {
  const type = MessageType.BroadcastData;
  server.says({ type, excludedConnectionIds: [], payloads: payloads({ json: NEWS }) });
}

test('what an app server says to all reaches the clients of both edges, the others by the bus', () => {
  saysToAll(here);
  expect([here.client.heard, there.client.heard]).toEqual([[WELCOME, NEWS], [WELCOME]]);
  time.endTurn();
  expect([here.client.heard, there.client.heard]).toEqual([
    [WELCOME, NEWS],
    [WELCOME, NEWS],
  ]);
});

test('what a client says comes to the app server of its edge at the end of the turn', () => {
  there.client.says(CALL);
  expect(there.server.read()).toEqual([]);
  time.endTurn();
  expect(there.server.read()).toMatchObject([
    { type: MessageType.ConnectionData, connectionId: there.client.id, payload: wire(CALL) },
  ]);
  expect(here.server.read()).toEqual([]);
});

test('time is one for both: app servers that are silent too long are lost in the same second', () => {
  time.pass(11_000);
  expect([here, there].map(({ server }) => server.socket.isOpen)).toEqual([true, true]);
  time.pass(2_000);
  expect([here, there].map(({ server }) => server.socket.isOpen)).toEqual([false, false]);
  expect([here, there].map(({ client }) => client.heard.at(-1))).toEqual([HUB_CLOSE, HUB_CLOSE]);
});

test('one that stops says goodbye to its own, hears the others no more, and looks after nothing', () => {
  const late = there.edge.strangeClient();
  there.edge.core.closeAll();
  expect(there.client.heard.at(-1)).toBe(HUB_CLOSE);
  expect(there.server.socket.isOpen).toBe(false);
  expect(late.socket.isOpen).toBe(false);
  void there.edge.core.stop();
  const newcomer = there.edge.strangeClient();
  saysToAll(here);
  time.pass(10_000);
  here.server.says({ type: MessageType.Ping, entries: [] });
  time.pass(10_000);
  expect(newcomer.socket.isOpen).toBe(true);
  expect(there.client.heard).not.toContain(NEWS);
  expect(here.client.socket.isOpen).toBe(true);
});
