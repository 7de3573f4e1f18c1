import { beforeEach, describe, expect, test } from 'vitest';
import type { MemoryBroker } from '../bus/memory-bus.ts';
import type { FakeClient, FakeServer } from '../sessions/fixtures.test-support.ts';
import { counted } from '../sessions/fixtures.test-support.ts';
import type { Member } from './cluster-member.test-support.ts';
import { join, roundTrip, settle } from './cluster-member.test-support.ts';
import { announced, guestOf, house, serverAt } from './guests.test-support.ts';

const CALL = '{"type":1,"invocationId":"1","target":"a","arguments":[]}␞';
const RESULT = '{"type":3,"invocationId":"1","result":1}␞';

let broker: MemoryBroker;
let owner: Member;
let host: Member;

beforeEach(async () => {
  ({ broker, owner, host } = await house());
});

/** A client of one edge that the first of some app servers of the other one serves, and could move. */
interface Scene {
  readonly client: FakeClient;
  readonly servers: readonly FakeServer[];
}

async function scene(hub: string, at: Member, hostEdge: Member, count = 2): Promise<Scene> {
  const servers = [await serverAt(hostEdge, { hub, level: 2 })];
  const client = await guestOf(servers[0]!, at, { hub });
  for (let n = 1; n < count; n++) {
    servers.push(await serverAt(hostEdge, { hub, serverId: `server-${n + 1}`, level: 2 }));
  }
  return { client, servers };
}

/** Which of them serves the client, both ways; -1 where none does. */
async function servingNow({ client, servers }: Scene): Promise<number> {
  for (const server of servers) await server.messages();
  if (!client.socket.isOpen) return -1;
  client.says(CALL);
  await roundTrip();
  const heard = await Promise.all(servers.map((server) => server.heard()));
  const nth = heard.findIndex(([first]) => first?.[0] === 'data' && first[2] === CALL);
  servers[nth]?.data(client, RESULT);
  await roundTrip();
  const others = servers.filter((_, at) => at !== nth);
  const isAlone = others.every(({ session }) => session.clients.length === 0);
  return isAlone && client.heard.at(-1) === RESULT ? nth : -1;
}

describe('both edges end the line, before either has heard that of the other:', () => {
  const there = (): void => host.gap(undefined, 'cut');
  const back = (): void => owner.gap('host', 'sender');

  test.each([
    ['the host edge says so first', [there, back]],
    ['the edge of the client does', [back, there]],
  ])('the client loses one process, and not the next one, %s', async (_, gaps) => {
    const one = await scene('chat', owner, host);
    for (const miss of gaps) miss();
    await roundTrip();
    expect(await servingNow(one)).toBe(1);
    expect([owner.stats.remoteClients, host.stats.guests]).toEqual([1, 1]);
    expect(host.stats.guestEnds.line_lost).toBe(1);
  });

  test('so it is with clients of both of them', async () => {
    const scenes = [await scene('chat', owner, host), await scene('talk', host, owner)];
    there();
    back();
    await roundTrip();
    for (const one of scenes) expect(await servingNow(one)).toBe(1);
  });

  test('what was opened since is over where the other one ends the line once more', async () => {
    const one = await scene('chat', owner, host, 3);
    there();
    back();
    there();
    await roundTrip();
    expect(await servingNow(one)).toBe(2);
    expect([owner.stats.remoteClients, host.stats.guests]).toEqual([1, 1]);
  });

  test('and later, when one does so again, all of it is over again', async () => {
    const one = await scene('chat', owner, host, 3);
    back();
    await roundTrip();
    there();
    await roundTrip();
    expect(await servingNow(one)).toBe(2);
  });
});

test('an edge that starts anew has not heard what was said to the one before, and does not answer', async () => {
  host.loses = 'edge.';
  owner.gap('host', 'missing');
  await roundTrip();
  await host.edge.core.stop();
  await roundTrip();
  host = join(broker, 'host', { startsAfter: 1 });
  await settle(owner, host);
  const one = await scene('chat', owner, host);
  host.gap('owner', 'missing');
  await roundTrip();
  expect(await servingNow(one)).toBe(1);
});

describe('an edge that is back on the bus, and settles,', () => {
  /** The other one tells how it is, which this edge hears before it is up again. */
  async function tellWhileItSettles(): Promise<Scene> {
    const one = await scene('chat', owner, host);
    owner.down('gone');
    owner.gap(undefined, 'cut');
    await announced(host);
    host.edge.pass(1);
    await roundTrip();
    return one;
  }

  test('keeps clients that app servers of others will have as soon as it is up', async () => {
    const one = await tellWhileItSettles();
    owner.up();
    await roundTrip();
    expect(await servingNow(one)).toBe(1);
  });

  test('waits for nobody for ever, though its question is not heard', async () => {
    const { client, servers } = await tellWhileItSettles();
    servers[1]!.socket.leave(1006);
    await announced(host);
    host.loses = 'members';
    owner.up();
    await roundTrip();
    expect(client.socket.isOpen).toBe(true);
    host.edge.pass(1);
    await roundTrip();
    expect(owner.edge.closes).toEqual({ ServerConnectionClosed: 1 });
    expect(counted(owner.edge.context.counters.migrations)).toEqual({ no_server: 1 });
  });
});
