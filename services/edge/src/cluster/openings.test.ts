import { MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { MemoryBroker } from '../bus/memory-bus.ts';
import type { FakeClient, FakeServer } from '../sessions/fixtures.test-support.ts';
import { JSON_HANDSHAKE, payloads, turn } from '../sessions/fixtures.test-support.ts';
import type { Member } from './cluster-member.test-support.ts';
import { join, roundTrip, settle } from './cluster-member.test-support.ts';
import { guestOf, house, serverAt } from './guests.test-support.ts';

const MB = 1024 * 1024;
/** Four times what may be under way to one edge. */
const MANY = 512;
const introduction = {
  tokenPayload: '{}',
  headers: [`a: ${'x'.repeat(MB / 64)}`],
  queryString: '',
};

let broker: MemoryBroker;
let owner: Member;
let host: Member;

beforeEach(async () => {
  ({ broker, owner, host } = await house());
});

type ClientSettings = Parameters<Member['edge']['strangeClient']>[0];

/** So many clients with much to tell of themselves, in one turn. */
function arriveTogether(count: number, settings: ClientSettings = {}): FakeClient[] {
  return Array.from({ length: count }, () => {
    const client = owner.edge.strangeClient({ introduction, ...settings });
    client.says(JSON_HANDSHAKE);
    return client;
  });
}

const openOf = (clients: readonly FakeClient[]): number =>
  clients.filter(({ socket }) => socket.isOpen).length;

/** The most bytes that the edge of the clients says in one turn of those that follow. */
async function mostInATurn(turns = 100): Promise<number> {
  let most = 0;
  for (let n = 0; n < turns; n++) {
    const before = owner.sentBytes;
    await turn();
    most = Math.max(most, owner.sentBytes - before);
  }
  return most;
}

/** What is said of as many clients more that come in one turn: the whole room where nothing is under way. */
async function saidOfMore(): Promise<number> {
  await roundTrip();
  const before = owner.sentBytes;
  arriveTogether(MANY);
  return owner.sentBytes - before;
}

describe('clients that go to an app server of another edge all at once', () => {
  test('are opened as fast as that edge takes them, when they arrive', async () => {
    const server = await serverAt(host);
    const clients = arriveTogether(MANY);
    expect(owner.sentBytes).toBeLessThan(2.1 * MB);
    expect(await mostInATurn()).toBeLessThan(2.1 * MB);
    expect([openOf(clients), server.session.clients.length]).toEqual([MANY, MANY]);
    expect([owner.stats.remoteClients, host.stats.guests]).toEqual([MANY, MANY]);
    expect(await saidOfMore()).toBeGreaterThan(2 * MB);
  });

  test('are, too, when they have waited for one to come', async () => {
    const clients = arriveTogether(MANY);
    const before = owner.sentBytes;
    const server = await serverAt(host);
    expect(owner.sentBytes - before).toBeGreaterThan(2 * MB);
    expect(await mostInATurn()).toBeLessThan(2.1 * MB);
    expect([openOf(clients), server.session.clients.length]).toEqual([MANY, MANY]);
  });

  test('are, too, when they have lost the one that they had', async () => {
    const level = 2;
    const here = await owner.edge.server({ serverId: 'here', level });
    const clients = arriveTogether(MANY);
    for (const client of clients) here.data(client, '{}␞');
    const there = await serverAt(host, { level });
    here.socket.leave(1006);
    expect(owner.sentBytes).toBeLessThan(2.1 * MB);
    expect(await mostInATurn()).toBeLessThan(2.1 * MB);
    expect([openOf(clients), there.session.clients.length]).toEqual([MANY, MANY]);
  });

  test.each(['Preferred', 'Required'] as const)('and have it by name: %s', async (sticky) => {
    const here = await owner.edge.server({ serverId: 'here' });
    const there = await serverAt(host);
    const clients = arriveTogether(MANY, { affinity: { sticky, serverName: 'server-1' } });
    await mostInATurn();
    expect([openOf(clients), here.session.clients.length]).toEqual([MANY, 0]);
    expect(there.session.clients.length).toBe(MANY);
  });
});

describe('a client that waits for its turn', () => {
  let server: FakeServer;

  beforeEach(async () => {
    server = await serverAt(host);
    // The hub's rules are known here from now on.
    (await guestOf(server, owner)).socket.leave(1000);
    await roundTrip();
  });

  /** Clients of whom a quarter is under way, and the others wait: the other edge hears nothing for now. */
  async function holdUp(settings: ClientSettings = {}): Promise<FakeClient[]> {
    host.loses = 'edge.';
    const clients = arriveTogether(MANY, settings);
    await roundTrip();
    return clients;
  }

  /** At both edges. */
  async function pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      host.edge.passWith(server, 1);
      owner.edge.pass(1);
      await roundTrip();
    }
  }

  async function loseTheLine(): Promise<void> {
    owner.gap('host', 'missing');
    await mostInATurn(20);
    owner.edge.pass(1);
  }

  test('does so until the deadline that it has anyway', async () => {
    const clients = await holdUp();
    expect(owner.stats.remoteClients).toBe(MANY / 4);
    await pass(9);
    expect(openOf(clients)).toBe(MANY);
    await pass(1);
    expect(owner.edge.closes).toMatchObject({ NoAvailableServerConnection: MANY });
    expect(owner.stats.remoteClients).toBe(0);
  });

  test('and leaves meanwhile was never there for the other edge', async () => {
    const clients = await holdUp();
    const underWay = owner.stats.remoteClients;
    const before = owner.sentBytes;
    for (const client of clients.slice(MANY / 2)) client.socket.leave(1000);
    expect(owner.sentBytes).toBe(before);
    host.loses = undefined;
    await loseTheLine();
    expect(server.session.clients.length).toBe(MANY / 2 - underWay);
    expect(await saidOfMore()).toBeGreaterThan(2 * MB);
  });

  test('makes room for none when it leaves before the other edge has answered', async () => {
    for (const client of await holdUp()) client.socket.leave(1000);
    expect(await saidOfMore()).toBe(0);
  });

  test('is given to another edge when that one has gone', async () => {
    const third = join(broker, 'third');
    await settle(owner, host, third);
    const clients = await holdUp();
    const next = await serverAt(third, { serverId: 'next' });
    await host.edge.core.stop();
    await mostInATurn(20);
    expect([openOf(clients), next.session.clients.length]).toEqual([MANY, MANY]);
    expect(await saidOfMore()).toBeGreaterThan(2 * MB);
  });

  test('has lost nothing with the line to that edge, and gets its turn', async () => {
    const clients = await holdUp();
    const underWay = owner.stats.remoteClients;
    host.loses = undefined;
    await loseTheLine();
    // Nobody knows whether the process has those that were under way.
    expect(owner.edge.closes).toMatchObject({ ServerConnectionClosed: underWay });
    const left = MANY - underWay;
    expect([openOf(clients), server.session.clients.length]).toEqual([left, left]);
  });

  test('does so while the bus is away', async () => {
    const other = await serverAt(host, { serverId: 'other' });
    const clients = await holdUp();
    owner.down('gone');
    owner.gap(undefined, 'cut');
    host.loses = undefined;
    const before = owner.sentBytes;
    await roundTrip();
    expect(owner.sentBytes - before).toBeLessThan(1000);
    // Nobody else is there to be given to an app server.
    const { waiting } = owner.edge.hubs.get('chat')!;
    for (const client of clients) if (waiting.has(client.session)) client.socket.leave(1000);
    owner.up();
    await mostInATurn(20);
    const left = openOf(clients);
    expect(left).toBeGreaterThan(MANY / 2);
    expect(server.session.clients.length + other.session.clients.length).toBe(left);
  });

  test('is offered to another process where its own takes nobody', async () => {
    server.session.drain();
    const clients = arriveTogether(MANY);
    await mostInATurn(20);
    expect(owner.edge.hubs.get('chat')!.waiting.size).toBe(MANY);
    const next = await serverAt(host, { serverId: 'next' });
    await mostInATurn(20);
    expect([openOf(clients), next.session.clients.length]).toEqual([MANY, MANY]);
    expect(await saidOfMore()).toBeGreaterThan(2 * MB);
  });

  test('gets it in the end, though openings were lost where nobody noticed', async () => {
    await holdUp();
    host.loses = undefined;
    await pass(11);
    expect(await saidOfMore()).toBeGreaterThan(2 * MB);
  });

  test('is asked for a result behind its opening', async () => {
    const here = await owner.edge.server({ serverId: 'here' });
    const affinity = { sticky: 'Preferred', serverName: 'server-1' } as const;
    const last = (await holdUp({ affinity })).at(-1)!;
    const connectionId = last.id;
    here.says({
      type: MessageType.ClientInvocation,
      invocationId: '1',
      connectionId,
      callerServerId: 'here',
      payloads: payloads({ json: '{"n":1}␞' }),
    });
    host.loses = undefined;
    await loseTheLine();
    const heard = (await server.messages()).filter(
      (message) => 'connectionId' in message && message.connectionId === connectionId,
    );
    expect(heard.map(({ type }) => type)).toEqual([
      MessageType.OpenConnection,
      MessageType.ConnectionData,
      MessageType.ClientInvocation,
    ]);
  });
});
