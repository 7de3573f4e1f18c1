import type { MessageFromServer } from '@trunkline/protocol';
import { decodeGroupPage, MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryBroker } from '../bus/memory-bus.ts';
import type { FakeClient, FakeServer } from '../sessions/fixtures.test-support.ts';
import { payloads, usedOf } from '../sessions/fixtures.test-support.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import { clientAt, negotiateAt } from './claims.test-support.ts';
import type { Member } from './cluster-member.test-support.ts';
import { join, json, roundTrip, settle } from './cluster-member.test-support.ts';

/** Edges of three kinds: that minted the id, that has the connection, and that wants something of it. */
let home: Member;
let owner: Member;
let asking: Member;
/** At the owner, and at the one that asks. */
let server: FakeServer;
let asker: FakeServer;
let homeServer: FakeServer;
let client: FakeClient;

const OK = 1;
const NOT_FOUND = 2;

beforeEach(async () => {
  const broker = new MemoryBroker(SYSTEM_TIME);
  [home, owner, asking] = [join(broker, 'home'), join(broker, 'b'), join(broker, 'c')];
  await settle(home, owner, asking);
  homeServer = await home.edge.server({ serverId: 'server-a' });
  server = await owner.edge.server({ serverId: 'server-b' });
  asker = await asking.edge.server({ serverId: 'server-c' });
  await roundTrip();
  client = await clientAt(owner, server, negotiateAt(home));
});

const numbered = (n: number) => payloads({ json: `{"n":${n}}␞` });
const toClient = (n: number): MessageFromServer => ({
  type: MessageType.MultiConnectionData,
  connectionIds: [client.id],
  payloads: numbered(n),
});

/** The status of the ack that an app server gets. */
async function ackOf(from: FakeServer, message: MessageFromServer): Promise<unknown> {
  from.says(message);
  await roundTrip();
  const acks = (await from.heard()).filter(([type]) => type === 'ack');
  expect(acks).toHaveLength(1);
  return acks[0]![2];
}

/** Subjects and edges that somebody has said something to since then. */
function said(member: Member, from: number): string[] {
  return member.published.slice(from);
}

describe('CLUSTER 1.5, order: what is sent to a connection that is not where its id was minted', () => {
  test('comes as it was sent, once, whatever way each message takes', async () => {
    const before = asking.published.length;
    for (let n = 0; n < 30; n++) {
      asker.says(
        n % 3 === 2
          ? {
              type: MessageType.BroadcastData,
              excludedConnectionIds: [],
              payloads: numbered(n),
            }
          : toClient(n),
      );
      if (n % 7 === 6) await roundTrip();
    }
    await roundTrip();
    const all = Array.from({ length: 30 }, (_, n) => `{"n":${n}}␞`);
    expect(client.heard.join('')).toBe(all.join(''));
    // It was looked for everywhere until its owner had said where it is.
    const looked = said(asking, before).length;
    asker.says(toClient(30));
    await roundTrip();
    expect(said(asking, before)).toHaveLength(looked);
    expect(client.heard.at(-1)).toBe('{"n":30}␞');
  });

  test('comes from its home, too', async () => {
    const before = home.published.length;
    for (let n = 0; n < 3; n++) {
      homeServer.says(toClient(n));
      await roundTrip();
    }
    expect(client.heard).toEqual(['{"n":0}␞', '{"n":1}␞', '{"n":2}␞']);
    expect(said(home, before)).toEqual(['hub.chat']);
  });

  test('together with others reaches each of them once', async () => {
    const near = await home.edge.client(homeServer, { userId: 'ben' });
    const far = await asking.edge.client(asker, { userId: 'cat' });
    const connectionIds = [client.id, near.id, far.id];
    for (let n = 0; n < 2; n++) {
      asker.says({ type: MessageType.MultiConnectionData, connectionIds, payloads: json });
      await roundTrip();
    }
    expect([client, near, far].map(({ heard }) => heard.length)).toEqual([2, 2, 2]);
  });

  test('goes to it alone again where it has ended, and to nobody else by mistake', async () => {
    asker.says(toClient(0));
    await roundTrip();
    client.socket.leave(1000);
    const next = await clientAt(owner, server, negotiateAt(home));
    asker.says(toClient(1));
    await roundTrip();
    expect(next.heard).toEqual([]);
  });
});

describe('CLUSTER 1.3, an ack means effective: for a connection that is elsewhere', () => {
  test('a join is in force for the next send of any edge', async () => {
    const join = {
      type: MessageType.JoinGroupWithAck,
      connectionId: client.id,
      group: 'g',
      ackId: 1,
    } as const;
    expect(await ackOf(asker, join)).toBe(OK);
    for (const one of [homeServer, server, asker]) {
      one.says({ type: MessageType.MultiGroupBroadcastData, groups: ['g'], payloads: json });
      await roundTrip();
    }
    expect(client.heard).toHaveLength(3);
    expect(await ackOf(homeServer, { ...join, type: MessageType.LeaveGroupWithAck })).toBe(OK);
  });

  test('a check asks all that could say yes, and then the one that has said it', async () => {
    const check = {
      type: MessageType.CheckConnectionExistenceWithAck,
      connectionId: client.id,
      ackId: 1,
    } as const;
    for (const one of [asker, asker, homeServer, homeServer]) {
      expect(await ackOf(one, check)).toBe(OK);
    }
    client.socket.leave(1000);
    // Whoever knows where it was asks nobody else.
    home.loses = 'edge.';
    expect(await ackOf(asker, check)).toBe(NOT_FOUND);
    home.loses = undefined;
    asking.loses = 'edge.';
    expect(await ackOf(homeServer, check)).toBe(NOT_FOUND);
  });

  test('it is found when its home has gone', async () => {
    await home.cluster.close();
    await roundTrip();
    const check = {
      type: MessageType.CheckConnectionExistenceWithAck,
      connectionId: client.id,
      ackId: 1,
    } as const;
    expect(await ackOf(asker, check)).toBe(OK);
    asker.says(toClient(1));
    await roundTrip();
    expect(client.heard).toEqual(['{"n":1}␞']);
  });

  test('a close ends it, with an ack and without', async () => {
    const close = { type: MessageType.CloseConnectionWithAck, reason: 'go', ackId: 1 } as const;
    expect(await ackOf(asker, { ...close, connectionId: client.id })).toBe(OK);
    expect(client.heard).toEqual(['{"type":7,"error":"go"}␞']);
    const second = await clientAt(owner, server, negotiateAt(home));
    homeServer.closes(second, 'enough');
    await roundTrip();
    expect(second.heard).toEqual(['{"type":7,"error":"enough"}␞']);
  });

  test('a client answers what it is asked, and who waits no longer says so', async () => {
    const result = {
      invocationId: '1',
      connectionId: client.id,
      callerServerId: 'server-c',
    } as const;
    const completion = {
      type: MessageType.ClientCompletion,
      ...result,
      protocol: 'json',
      payload: Buffer.from('"yes"'),
    } as const;
    const invocation = { type: MessageType.ClientInvocation, ...result, payloads: json } as const;
    asker.says(invocation);
    await roundTrip();
    expect(client.heard).toEqual(['{"n":1}␞']);
    server.says(completion);
    await roundTrip();
    expect(await asker.messages()).toMatchObject([completion]);
    asker.says(invocation);
    await roundTrip();
    asker.says(completion);
    await roundTrip();
    for (const { edge } of [owner, asking]) {
      expect(usedOf(edge.context.pools, 'client_results')).toBe(0);
      expect(usedOf(edge.context.pools, 'questions')).toBe(0);
    }
  });

  test('a list of its group has it, page by page', async () => {
    const all = [client, ...(await Promise.all([1, 2].map(() => owner.edge.client(server))))];
    for (const { id: connectionId } of all) {
      server.says({ type: MessageType.JoinGroup, connectionId, group: 'g' });
    }
    const listed: string[] = [];
    let token: string | undefined;
    do {
      const query = { type: MessageType.GroupMemberQuery, group: 'g', ackId: 7 } as const;
      asker.says({ ...query, maxPageSize: 1, top: undefined, continuationToken: token });
      await roundTrip();
      const [ack] = await asker.messages();
      if (ack?.type !== MessageType.Ack) throw new Error('no answer');
      const page = decodeGroupPage(ack.payload);
      listed.push(...page.members.map(({ connectionId }) => connectionId));
      token = page.next;
    } while (token !== undefined);
    expect(listed.toSorted()).toEqual(all.map(({ id }) => id).toSorted());
  });
});

test('where the home was gone when the id was used, and is back, others still find the connection', async () => {
  const broker = new MemoryBroker(SYSTEM_TIME);
  [home, owner, asking] = [join(broker, 'home'), join(broker, 'b'), join(broker, 'c')];
  await settle(home, owner, asking);
  server = await owner.edge.server({ serverId: 'server-b' });
  asker = await asking.edge.server({ serverId: 'server-c' });
  await home.edge.server({ serverId: 'server-a' });
  const offer = negotiateAt(home);
  home.loses = '';
  for (let second = 0; second < 4; second++) {
    for (const { edge } of [owner, asking]) edge.pass(1);
    await roundTrip();
  }
  client = await clientAt(owner, server, offer);
  home.loses = undefined;
  const late = join(broker, 'late');
  await settle(home, owner, asking, late);
  await settle(home, owner, asking, late);
  const others = await late.edge.server({ serverId: 'server-d' });
  const [own] = home.edge.servers;
  for (const [n, from] of [own!, asker, others].entries()) {
    from.says(toClient(n));
    await roundTrip();
  }
  expect(client.heard).toEqual(['{"n":0}␞', '{"n":1}␞', '{"n":2}␞']);
});
