import { AccessKeys, DEVELOPMENT_ACCESS_KEY, verifyToken } from '@trunkline/tokens';
import { expect } from 'vitest';

import type { OperationId } from '../../../services/edge/src/sessions/rest/operations.ts';
import type { Route } from '../../../services/edge/src/sessions/rest/routes.ts';
import { HubClient } from './hub-client.ts';
import { negotiate } from './negotiate.ts';
import type { Answer, RestClient } from './rest.ts';
import { call } from './rest.ts';
import type { People, RestWorld } from './rest-world.ts';

/** What one call of an operation is made with, and what comes of it. */
export interface Scenario {
  readonly query?: string;
  readonly body?: string;
  /** Of the path. */
  readonly names?: Readonly<Record<string, string>>;
  /** Looks at what the call has done. */
  readonly check?: (answer: Answer) => Promise<unknown>;
  /** The path of the same call for something that is not there. */
  readonly nowhere?: Readonly<Record<string, string>>;
}

export interface Stage {
  readonly world: RestWorld;
  readonly people: People;
  /** Names of this stage alone. */
  readonly user: string;
  readonly group: string;
  readonly route: Route;
}

/** Values that both protocols have to carry as they are. */
const VALUES = ['text é', 1, -7, 2.5, true, null, [1, 'a'], { b: { c: 3 } }] as const;
export const MESSAGE = JSON.stringify({ Target: 'say', Arguments: VALUES });

export async function hears(client: RestClient, marker: unknown = VALUES[0]): Promise<unknown[]> {
  return client.said.first(([first]) => first === marker, 'what is sent');
}

/** Both have been told of it, the JSON client and the MessagePack client alike. */
async function bothHear({ people }: Stage): Promise<void> {
  for (const client of people.both) expect(await hears(client)).toEqual(VALUES);
}

/** The second is told what comes later, so that it would have been told of it before. */
async function onlyFirstHears({ people, world }: Stage): Promise<void> {
  expect(await hears(people.json)).toEqual(VALUES);
  await later(people.messagepack, world);
  expect(people.messagepack.said.all).toEqual([['later']]);
}

async function later({ id, said }: RestClient, { url }: RestWorld): Promise<void> {
  const body = JSON.stringify({ target: 'say', arguments: ['later'] });
  const sent = await call(url, `POST /api/hubs/chat/connections/${id}/:send`, { body });
  expect(sent.status).toBe(202);
  await said.first(([first]) => first === 'later', 'what is sent later');
}

const status = async ({ world }: Stage, what: string): Promise<number> =>
  (await call(world.url, what)).status;

const path = (name: string): string => encodeURIComponent(name);

/** Whether a connection is in a group, as another edge lists it. */
async function members({ world, group }: Stage): Promise<string[]> {
  const answer = await call(
    world.edges[0]!.url,
    `GET /api/hubs/chat/groups/${path(group)}/connections`,
  );
  const { value } = JSON.parse(answer.body) as { value: { connectionId: string }[] };
  return value.map(({ connectionId }) => connectionId).toSorted();
}

const idsOf = ({ people }: Stage): string[] => people.both.map(({ id }) => id).toSorted();

async function join(stage: Stage, { id }: RestClient): Promise<void> {
  const what = `PUT /api/hubs/chat/groups/${path(stage.group)}/connections/${id}`;
  expect(await status(stage, what)).toBe(200);
}

async function joinUser(stage: Stage): Promise<void> {
  const { user, group } = stage;
  const what = `PUT /api/hubs/chat/users/${path(user)}/groups/${path(group)}`;
  expect(await status(stage, what)).toBe(200);
}

async function closed(client: RestClient, why: string): Promise<void> {
  expect(await client.closed).toContain(why);
}

/** For every operation, what a call of it does. Each begins with two connections of one user. */
export const SCENARIOS: Readonly<
  Record<OperationId, (stage: Stage) => Promise<Scenario> | Scenario>
> = {
  health: () => ({}),
  accessKey: () => ({}),
  sendToAll: (stage) => ({ body: MESSAGE, check: () => bothHear(stage) }),
  sendToConnection: (stage) => ({
    body: MESSAGE,
    names: { connectionId: stage.people.json.id },
    check: () => onlyFirstHears(stage),
  }),
  sendToUser: (stage) => ({ body: MESSAGE, check: () => bothHear(stage) }),
  sendToUsers: (stage) => ({
    body: MESSAGE,
    names: { users: `nobody,${stage.user}` },
    check: () => bothHear(stage),
  }),
  sendToGroup: async (stage) => {
    await join(stage, stage.people.json);
    return { body: MESSAGE, check: () => onlyFirstHears(stage) };
  },
  sendToGroups: async (stage) => {
    await joinUser(stage);
    return {
      body: MESSAGE,
      names: { groups: `none,${stage.group}` },
      check: () => bothHear(stage),
    };
  },
  connectionExists: ({ people }) => ({
    names: { connectionId: people.json.id },
    nowhere: { connectionId: 'nobody' },
  }),
  groupExists: async (stage) => {
    await join(stage, stage.people.messagepack);
    return { nowhere: { group: 'no such group' } };
  },
  userExists: () => ({ nowhere: { user: 'nobody' } }),
  userIsInGroup: async (stage) => {
    await joinUser(stage);
    return { nowhere: { group: 'no such group' } };
  },
  addConnectionToGroup: (stage) => ({
    names: { connectionId: stage.people.json.id },
    check: async () => expect(await members(stage)).toEqual([stage.people.json.id]),
    nowhere: { connectionId: 'nobody' },
  }),
  removeConnectionFromGroup: async (stage) => {
    await joinUser(stage);
    return {
      names: { connectionId: stage.people.json.id },
      check: async () => expect(await members(stage)).toEqual([stage.people.messagepack.id]),
      nowhere: { connectionId: 'nobody' },
    };
  },
  removeConnectionFromAllGroups: async (stage) => {
    await joinUser(stage);
    return {
      names: { connectionId: stage.people.json.id },
      check: async () => expect(await members(stage)).toEqual([stage.people.messagepack.id]),
    };
  },
  addUserToGroup: (stage) => ({
    query: 'ttl=60',
    check: async () => expect(await members(stage)).toEqual(idsOf(stage)),
  }),
  removeUserFromGroup: async (stage) => {
    await joinUser(stage);
    return { check: async () => expect(await members(stage)).toEqual([]) };
  },
  removeUserFromAllGroups: async (stage) => {
    await joinUser(stage);
    return { check: async () => expect(await members(stage)).toEqual([]) };
  },
  closeConnection: (stage) => ({
    names: { connectionId: stage.people.json.id },
    query: 'reason=no%20more',
    check: async () => {
      const what = `HEAD /api/hubs/chat/connections/${stage.people.json.id}`;
      expect(await status(stage, what)).toBe(404);
      await closed(stage.people.json, 'no more');
    },
    nowhere: { connectionId: 'nobody' },
  }),
  closeConnections: (stage) => closesFirst(stage),
  closeGroupConnections: async (stage) => {
    await joinUser(stage);
    return closesFirst(stage);
  },
  closeUserConnections: (stage) => closesFirst(stage),
  generateToken: ({ world, user }) => ({
    query: `userId=${path(user)}&minutesToExpire=2`,
    check: async ({ body }) => {
      const { token } = JSON.parse(body) as { token: string };
      const keys = new AccessKeys([DEVELOPMENT_ACCESS_KEY]);
      const now = Math.floor(Date.now() / 1000);
      const verified = verifyToken(token, { keys, use: 'client', hub: 'chat', now });
      expect(verified).toMatchObject({ payload: expect.stringContaining(user) });
      expect((verified as { expiresAt: number }).expiresAt - now).toBeLessThanOrEqual(120);
      const headers = { authorization: `Bearer ${token}` };
      const url = `${world.url}/client/negotiate?hub=chat&negotiateVersion=1`;
      expect((await fetch(url, { method: 'POST', headers })).status).toBe(200);
    },
  }),
  execute: (stage) => ({
    query: `filter=${path(`connectionId eq '${stage.people.json.id}'`)}`,
    body: JSON.stringify([
      { type: 'JoinGroup', group: stage.group },
      { type: 'SendMessage', message: JSON.parse(MESSAGE) as unknown },
    ]),
    check: async () => {
      expect(await members(stage)).toEqual([stage.people.json.id]);
      await onlyFirstHears(stage);
    },
  }),
  invoke: ({ people }) => {
    people.json.connection.on('add', (one: number, other: number) => one + other);
    return {
      names: { connectionId: people.json.id },
      body: JSON.stringify({ target: 'add', arguments: [1, 2] }),
      check: async ({ headers, body }) => {
        // Without a word on what it accepts, fetch accepts anything: then the client's bytes come.
        expect(JSON.parse(body.replace('\x1e', ''))).toMatchObject({ type: 3, result: 3 });
        expect(headers.get('x-asrs-protocol')).toBe('json');
      },
      nowhere: { connectionId: 'nobody' },
    };
  },
  sendStreamItem: ({ people }) => {
    const { id, items } = readsStream(people.json);
    return {
      names: { connectionId: people.json.id, streamId: id },
      query: 'completed=true',
      body: '{"n":1}',
      check: async () => expect(await items).toEqual([{ n: 1 }]),
    };
  },
  completeStream: ({ people }) => {
    const { id, items } = readsStream(people.messagepack);
    return {
      names: { connectionId: people.messagepack.id, streamId: id },
      query: 'error=enough',
      check: async () => expect(await items).toEqual(['enough']),
    };
  },
  listGroupConnections: async (stage) => {
    await joinUser(stage);
    return {
      check: async ({ body }) => {
        expect(JSON.parse(body)).not.toHaveProperty('nextLink');
        expect(listedIn(body)).toEqual(bothOf(stage));
      },
    };
  },
  refreshAuth: async (stage) => {
    const { connectionToken, client } = await negotiated(stage);
    return {
      body: JSON.stringify({
        connectionToken,
        claims: [
          { type: 'asrs.s.uid', value: stage.user },
          { type: 'role', value: 'a' },
        ],
      }),
      check: async ({ body }) => {
        const { claims } = JSON.parse(body) as { claims: object[] };
        expect(claims).toContainEqual({ type: 'role', value: 'a' });
        await client.close();
      },
      // It has gone by then.
      nowhere: {},
    };
  },
  getClaims: async (stage) => {
    const { connectionToken, client } = await negotiated(stage);
    return {
      body: JSON.stringify({ connectionToken }),
      check: async ({ body }) => {
        const { claims } = JSON.parse(body) as { claims: object[] };
        expect(claims).toContainEqual({ type: 'asrs.s.uid', value: stage.user });
        await client.close();
      },
      // It has gone by then.
      nowhere: {},
    };
  },
  countHub: async (stage) => {
    const before = (await counted(stage, '')).count;
    return { check: async ({ body }) => expect(countIn(body).count).toBe(before) };
  },
  countGroup: (stage) => countsBoth(stage, `groups/${path(stage.group)}/`),
  countUser: (stage) => countsBoth(stage, `users/${path(stage.user)}/`),
  listHub: (stage) => ({
    check: async ({ body }) =>
      expect(listedIn(body)).toEqual(expect.arrayContaining(bothOf(stage))),
  }),
  listGroup: async (stage) => {
    await joinUser(stage);
    return { check: async ({ body }) => expect(listedIn(body)).toEqual(bothOf(stage)) };
  },
  listUser: (stage) => ({
    check: async ({ body }) => expect(listedIn(body)).toEqual(bothOf(stage)),
  }),
};

interface Counted {
  readonly count: number;
  readonly version: string;
}

const countIn = (body: string): Counted => JSON.parse(body) as Counted;

/** As another edge counts. */
async function counted({ world }: Stage, of: string): Promise<Counted> {
  return countIn((await call(world.edges[0]!.url, `GET /api/x/hubs/chat/${of}count`)).body);
}

/** Both are there, every edge says so alike, and the version is another one when they have gone. */
async function countsBoth(stage: Stage, of: string): Promise<Scenario> {
  await joinUser(stage);
  const before = await counted(stage, of);
  return {
    check: async ({ body }) => {
      expect(countIn(body)).toEqual({ count: 2, version: before.version });
      await stage.people[Symbol.asyncDispose]();
      await expect.poll(async () => (await counted(stage, of)).count).toBe(0);
      expect((await counted(stage, of)).version).not.toBe(before.version);
    },
  };
}

const bothOf = (stage: Stage): object[] =>
  idsOf(stage).map((connectionId) => ({ connectionId, userId: stage.user }));

function listedIn(body: string): object[] {
  const { value } = JSON.parse(body) as { value: object[] };
  return value.toSorted((one, other) => (idOf(one) < idOf(other) ? -1 : 1));
}

const idOf = (one: object): string => (one as { connectionId: string }).connectionId;

function closesFirst({ people }: Stage): Scenario {
  return {
    query: `excluded=nobody&excluded=${people.messagepack.id}&reason=over`,
    check: async () => {
      await closed(people.json, 'over');
      expect(await people.messagepack.connection.invoke('echo', 1)).toBe(1);
    },
  };
}

/** A stream that nothing comes of by itself: its id, and what it has had when it ends. */
function readsStream({ connection }: RestClient): { id: string; items: Promise<unknown[]> } {
  const items: unknown[] = [];
  const all = new Promise<unknown[]>((resolve) => {
    connection.stream('nothing').subscribe({
      next: (item) => void items.push(item),
      complete: () => resolve(items),
      error: (error: Error) => resolve([...items, error.message]),
    });
  });
  // Calls of a client are counted from 0, and it is its first.
  return { id: '0', items: all };
}

/** One more connection of the user, whose connection token is known. */
async function negotiated({ world, user }: Stage): Promise<{
  connectionToken: string;
  client: HubClient;
}> {
  const { url } = world.edges[0]!;
  const { connectionToken, accessToken } = await negotiate(url, { userId: user });
  const at = `${url}/client/?hub=chat&id=${connectionToken}`;
  return { connectionToken, client: await HubClient.connectAt(at, accessToken) };
}
