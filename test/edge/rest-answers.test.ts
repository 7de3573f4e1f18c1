import { decode, encode } from '@msgpack/msgpack';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { usedOf } from '../../services/edge/src/sessions/wire.test-support.ts';
import { HubClient } from './support/hub-client.ts';
import { negotiate } from './support/negotiate.ts';
import type { People } from './support/rest-world.ts';
import { hears } from './support/rest-scenarios.ts';
import { RestWorld } from './support/rest-world.ts';
import type { RestClient } from './support/rest.ts';
import { call, restToken } from './support/rest.ts';

/** Calls that are answered with more than a status, where clients are at other edges. */

let world: RestWorld;

beforeAll(async () => {
  world = await RestWorld.open(3);
});

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
});

describe('the result of a client', () => {
  let people: People;

  beforeAll(async () => {
    people = await world.people('ann');
    for (const { connection } of people.both) {
      connection.on('add', (one: number, other: number) => one + other);
      connection.on('fails', () => {
        throw new Error('no');
      });
      connection.on('nothing', () => null);
      connection.on('thing', () => ({ big: [1.5, 'é', null] }));
      connection.on('hangs', () => new Promise(() => {}));
    }
  });

  afterAll(() => people?.[Symbol.asyncDispose]());

  const invoke = (
    client: RestClient,
    target: string,
    headers: Record<string, string> = {},
    args: unknown[] = [],
  ) =>
    call(world.url, `POST /api/hubs/chat/connections/${client.id}/:invoke`, {
      body: JSON.stringify({ target, arguments: args }),
      headers,
    });

  const JSON_WANTED = { accept: 'application/json' };

  test.each(['json', 'messagepack'] as const)('of %s comes as JSON', async (protocol) => {
    const client = people[protocol];
    const result = async (target: string, args: unknown[] = []) => {
      const answer = await invoke(client, target, JSON_WANTED, args);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('application/json');
      expect(answer.headers.get('x-asrs-protocol')).toBe(protocol);
      expect(answer.headers.get('x-protocol')).toBe(protocol);
      return JSON.parse(answer.body) as unknown;
    };
    expect(await result('add', [1, 2])).toEqual({ result: 3 });
    expect(await result('thing')).toEqual({ result: { big: [1.5, 'é', null] } });
    expect(await result('nothing')).toEqual({ result: null });
    expect(await result('fails')).toEqual({ error: 'Error: no' });
  });

  test.each([
    ['anything', { accept: '*/*' }],
    ['bytes', { accept: 'application/octet-stream' }],
    ['JSON, and is an SDK', { accept: 'application/json', 'asrs-user-agent': 'sdk' }],
  ])('comes as its bytes to who accepts %s', async (_what, headers) => {
    const json = await invoke(people.json, 'add', headers, [1, 2]);
    expect(JSON.parse(json.body.replace('\x1e', ''))).toMatchObject({ type: 3, result: 3 });
    expect(json.body.endsWith('\x1e')).toBe(true);
    const binary = await invoke(people.messagepack, 'add', headers, [1, 2]);
    expect(binary.headers.get('x-asrs-protocol')).toBe('messagepack');
    expect(binary.headers.get('content-type')).toBe('application/octet-stream');
    expect(decode(binary.bytes.subarray(1))).toMatchObject({ 0: 3, 3: 3, 4: 3 });
  });

  test('may be asked for by framed messages, in MessagePack, and many at a time', async () => {
    const frame = { type: 1, invocationId: 'own', target: 'add', arguments: [4, 5] };
    const record = encode([1, {}, 'own', 'add', [4, 5], []]);
    const framed = encode({
      json: Buffer.from(`${JSON.stringify(frame)}\x1e`),
      messagepack: Uint8Array.from([record.length, ...record]),
    });
    const map = encode({ target: 'add', arguments: [4, 5] });
    for (const client of people.both) {
      const path = `POST /api/hubs/chat/connections/${client.id}/:invoke`;
      for (const [type, body] of [
        ['octet-stream', framed],
        ['x-msgpack', map],
      ] as const) {
        const headers = { ...JSON_WANTED, 'content-type': `application/${type}` };
        const answers = await Promise.all(
          [1, 2, 3].map(() => call(world.url, path, { body, headers })),
        );
        expect(answers.map(({ body: text }) => text)).toEqual(Array(3).fill('{"result":9}'));
      }
    }
  });

  test('is not waited for when the client goes, or the caller', async () => {
    await using others = await world.people('ben');
    const waiting = () => world.edges.map(({ pools }) => usedOf(pools, 'client_results'));
    for (const { connection } of others.both) connection.on('hangs', () => new Promise(() => {}));
    const asked = invoke(others.json, 'hangs');
    await expect.poll(waiting).toEqual([1, 0, 1]);
    await others.json.connection.stop();
    const answer = await asked;
    expect([answer.status, answer.headers.get('x-ms-error-code')]).toEqual([
      404,
      'Error.Connection.NotExisted',
    ]);
    const gone = new AbortController();
    const url = `${world.url}/api/hubs/chat/connections/${others.messagepack.id}/:invoke`;
    const given = fetch(url, {
      method: 'POST',
      body: '{"target":"hangs"}',
      headers: { authorization: `Bearer ${restToken(url)}`, 'content-type': 'application/json' },
      signal: gone.signal,
    });
    await expect.poll(waiting).toEqual([0, 1, 1]);
    gone.abort();
    await expect(given).rejects.toThrow('This operation was aborted');
    await expect.poll(waiting).toEqual([0, 0, 0]);
  });

  test('that too many wait for is not asked', async () => {
    await using others = await world.people('cid');
    others.json.connection.on('hangs', () => new Promise(() => {}));
    const asked = Array.from({ length: 101 }, () => invoke(others.json, 'hangs'));
    const refused = await Promise.race(asked);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('1');
    await others.json.connection.stop();
    const answers = await Promise.all(asked);
    expect(answers.filter(({ status }) => status === 404)).toHaveLength(100);
  });
});

describe('a list of connections', () => {
  test('comes in pages, which lead from one to the next', async () => {
    const crowd = await Promise.all(Array.from({ length: 6 }, () => world.people('crowd')));
    const group = 'a group/1';
    const path = `/api/hubs/chat/groups/${encodeURIComponent(group)}/connections`;
    await call(world.url, `PUT /api/hubs/chat/users/crowd/groups/${encodeURIComponent(group)}`);
    const all = crowd.flatMap(({ both }) => both.map(({ id }) => id)).toSorted();

    const pages = async (query: string) => {
      const found: string[][] = [];
      let what = `GET ${path}?api-version=2024-12-01&${query}`;
      for (;;) {
        const answer = await call(world.url, what);
        expect(answer.status).toBe(200);
        const { value, nextLink } = JSON.parse(answer.body) as {
          value: { connectionId: string; userId: string }[];
          nextLink?: string;
        };
        expect(value.every(({ userId }) => userId === 'crowd')).toBe(true);
        found.push(value.map(({ connectionId }) => connectionId));
        if (nextLink === undefined) return found;
        expect(nextLink.startsWith(`${world.url}${path}?api-version=2024-12-01`)).toBe(true);
        what = `GET ${nextLink.slice(world.url.length)}`;
      }
    };
    const lengths = (found: string[][]) => found.map(({ length }) => length);

    const whole = await pages('');
    expect(lengths(whole)).toEqual([12]);
    const small = await pages('maxPageSize=5');
    expect(lengths(small)).toEqual([5, 5, 2]);
    expect(small.flat().toSorted()).toEqual(all);
    expect(lengths(await pages('maxpagesize=5&top=7'))).toEqual([5, 2]);
    expect(lengths(await pages('top=3'))).toEqual([3]);
    expect(await pages('top=0')).toEqual([[]]);
    await Promise.all(crowd.map((people) => people[Symbol.asyncDispose]()));
    await expect.poll(() => pages('maxpagesize=5')).toEqual([[]]);
  });
});

describe('presence', () => {
  const pages = async (scope: string, top: number): Promise<string[][]> => {
    const found: string[][] = [];
    let what = `GET /api/x/hubs/chat/${scope}connections?top=${top}`;
    for (;;) {
      const answer = await call(world.url, what);
      expect(answer.status).toBe(200);
      const { value, cursor, nextLink } = JSON.parse(answer.body) as {
        value: { connectionId: string }[];
        cursor?: string;
        nextLink?: string;
      };
      found.push(value.map(({ connectionId }) => connectionId));
      if (cursor === undefined) return found;
      what = `GET /api/x/hubs/chat/${scope}connections?top=${top}&cursor=${encodeURIComponent(cursor)}`;
      expect(nextLink).toBe(world.url + what.slice('GET '.length));
    }
  };

  test('of a hub, a group and a user is listed in pages, each connection once', async () => {
    const crowd = await Promise.all(Array.from({ length: 5 }, () => world.people('present')));
    await call(world.url, 'PUT /api/hubs/chat/users/present/groups/room%2F1');
    const all = crowd.flatMap(({ both }) => both.map(({ id }) => id)).toSorted();
    for (const scope of ['', 'groups/room%2F1/', 'users/present/']) {
      const found = await pages(scope, 4);
      expect(found.every(({ length }) => length <= 4)).toBe(true);
      expect(
        found
          .flat()
          .filter((id) => all.includes(id))
          .toSorted(),
      ).toEqual(all);
      expect(new Set(found.flat()).size).toBe(found.flat().length);
    }
    await Promise.all(crowd.map((people) => people[Symbol.asyncDispose]()));
    await expect.poll(() => pages('users/present/', 4)).toEqual([[]]);
  });

  test.each(['cursor=x', 'cursor=-1', 'top=0', 'top=201', 'top=many'])(
    'asked for with %s is a bad request',
    async (query) => {
      const answer = await call(world.url, `GET /api/x/hubs/chat/connections?${query}`);
      expect([answer.status, answer.headers.get('x-ms-error-code')]).toEqual([
        400,
        'Error.Request.Invalid',
      ]);
    },
  );

  test('is told to nobody without a token for it', async () => {
    const path = '/api/x/hubs/chat/count';
    const token = restToken(`${world.url}/api/hubs/chat/count`);
    for (const given of [null, token]) {
      expect((await call(world.url, `GET ${path}`, { token: given })).status).toBe(401);
    }
  });
});

describe('claims', () => {
  const ask = (what: string, body: object) =>
    call(world.url, `POST /api/hubs/chat/connections/${what}`, { body: JSON.stringify(body) });

  test('are those of a sign-in, until there is a new one', async () => {
    const { url } = world.edges[0]!;
    const { connectionToken, accessToken } = await negotiate(url, { userId: 'dan' });
    await using client = await HubClient.connectAt(
      `${url}/client/?hub=chat&id=${connectionToken}`,
      accessToken,
    );
    const uid = { type: 'asrs.s.uid', value: 'dan' };
    const role = { type: 'role', value: 'reader' };
    const coae = { type: 'asrs.s.coae', value: 'true' };
    const before = await ask('claims', { connectionToken });
    expect([before.status, JSON.parse(before.body)]).toMatchObject([200, { claims: [uid] }]);

    const expireTime = new Date(Date.now() + 60_000).toISOString();
    const given = await ask(':refreshAuth', {
      connectionToken,
      claims: [uid, role, coae],
      expireTime,
    });
    expect(given.status).toBe(200);
    const end = String(Math.floor(Date.parse(expireTime) / 1000));
    const { claims } = JSON.parse(given.body) as { claims: object[] };
    expect(claims).toEqual([uid, role, coae, { type: 'asrs.s.aeo', value: end }]);
    expect(JSON.parse((await ask('claims', { connectionToken })).body)).toEqual({ claims });
    const kept = await ask(':refreshAuth', { connectionToken, expireTime: null, claims: null });
    expect(JSON.parse(kept.body)).toEqual({ claims });

    const other = await ask(':refreshAuth', {
      connectionToken,
      claims: [{ type: 'asrs.s.uid', value: 'eve' }],
    });
    expect([other.status, other.headers.get('x-ms-error-code')]).toEqual([
      403,
      'ConnectionUserMismatch',
    ]);
    // The sign-in ends, and the connection with it.
    const soon = new Date(Date.now() + 1000).toISOString();
    const last = await ask(':refreshAuth', { connectionToken, expireTime: soon, claims: null });
    expect(last.status).toBe(200);
    await client.closed;
  });

  test('of nobody are not told', async () => {
    for (const what of ['claims', ':refreshAuth']) {
      const none = await ask(what, { connectionToken: 'x'.repeat(60) });
      expect([none.status, none.headers.get('x-ms-error-code')]).toEqual([
        404,
        'ConnectionNotFound',
      ]);
    }
  });

  test.each<[string, object]>([
    ['claims', {}],
    [':refreshAuth', { connectionToken: 1 }],
    [':refreshAuth', { connectionToken: 'x', claims: {} }],
    [':refreshAuth', { connectionToken: 'x', claims: [{ type: 'a' }] }],
    [':refreshAuth', { connectionToken: 'x', expireTime: 'soon' }],
    ['claims', []],
  ])('%s: %j is a bad request', async (what, body) => {
    expect((await ask(what, body)).status).toBe(400);
  });
});

describe('commands by a filter', () => {
  const execute = (body: unknown, filter?: string) => {
    const query = filter === undefined ? '' : `?filter=${encodeURIComponent(filter)}`;
    return call(world.url, `POST /api/hubs/chat/:execute${query}`, { body: JSON.stringify(body) });
  };

  test('go to those who were chosen when they began, one after the other', async () => {
    await using people = await world.people('listener-1');
    await using others = await world.people('other');
    const message = { target: 'say', arguments: ['chosen'] };
    const answer = await execute(
      [
        { type: 'JoinGroup', group: 'x' },
        { type: 'SendMessage', message },
        { type: 'LeaveGroup', group: 'x' },
        { type: 'CloseConnection', reason: 'done with you' },
      ],
      "startswith(userId, 'listener-') and not ('x' in groups)",
    );
    expect([answer.status, answer.body]).toEqual([202, '']);
    for (const { said, closed } of people.both) {
      expect(await closed).toContain('done with you');
      expect(said.all).toEqual([['chosen']]);
    }
    expect(await others.json.connection.invoke('echo', 1)).toBe(1);
    expect(others.json.said.all).toEqual([]);
  });

  test('without a filter go to all', async () => {
    await using people = await world.people('all');
    await execute([{ type: 'SendMessage', message: { Target: 'say', Arguments: ['all'] } }]);
    for (const client of people.both) expect(await hears(client, 'all')).toEqual(['all']);
  });

  test.each([
    [{}],
    [[{}]],
    [[{ type: 'Dance' }]],
    [[{ type: 'JoinGroup' }]],
    [[{ type: 'LeaveGroup', group: ' ' }]],
    [[{ type: 'SendMessage' }]],
    [Array.from({ length: 101 }, () => ({ type: 'JoinGroup', group: 'g' }))],
  ])('that are none are a bad request (%#)', async (body) => {
    expect((await execute(body)).status).toBe(400);
  });
});
