import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

import { encode } from '@msgpack/msgpack';
import {
  DEVELOPMENT_ACCESS_KEY,
  mintClientToken,
  mintRestToken,
  mintServerToken,
} from '@trunkline/tokens';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { People } from './support/rest-world.ts';
import { RestWorld } from './support/rest-world.ts';
import { hears, MESSAGE } from './support/rest-scenarios.ts';
import { call, restToken } from './support/rest.ts';

/** What all REST calls have in common: tokens, versions, names, bodies, limits, errors. */

const SEND = '/api/hubs/chat/:send';
const MIB = 1024 * 1024;
let world: RestWorld;
let people: People;

beforeAll(async () => {
  world = await RestWorld.open(1);
  people = await world.people('ann');
});

afterAll(async () => {
  await people?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const post = (options: Parameters<typeof call>[2] = {}, path = SEND) =>
  call(world.url, `POST ${path}`, { body: MESSAGE, ...options });

describe('a token', () => {
  const now = Math.floor(Date.now() / 1000);
  const key = DEVELOPMENT_ACCESS_KEY;
  const audience = (path: string) => `http://anywhere:81${path}`;
  const rest = (path: string, more = {}) =>
    mintRestToken({ key, audience: audience(path), ...more });

  test.each([
    ['for the path', () => rest(SEND)],
    ['with the query of the version', () => rest(`${SEND}?api-version=2022-06-01`)],
    ['with a slash at the end', () => rest(`${SEND}/`)],
    ['with the hub in another case', () => rest('/api/hubs/Chat/:send')],
    ['with the colon escaped', () => rest('/api/hubs/chat/%3Asend')],
    ['of HS512', () => rest(SEND, { algorithm: 'HS512' })],
  ])('%s is good, twice', async (_what, token) => {
    for (let i = 0; i < 2; i++) expect((await post({ token: token() })).status).toBe(202);
  });

  const base = { key, audienceBase: 'http://anywhere/', hub: 'chat' };
  test.each<[string, string | null, string]>([
    ['none', null, 'Bearer'],
    ['garbage', 'garbage', 'The token is malformed'],
    ['of another key', rest(SEND, { key: 'x' }), 'The signature is invalid'],
    ['expired', rest(SEND, { now: now - 7200, lifetimeSeconds: 60 }), 'The token is expired'],
    ['for another path', rest('/api/hubs/chat/users/a/:send'), 'The audience is invalid'],
    ['for another hub', rest('/api/hubs/other/:send'), 'The audience is invalid'],
    ['for no path', rest('/'), 'The audience is invalid'],
    ['of a client', mintClientToken(base), 'The audience is invalid'],
    ['of a server', mintServerToken({ ...base, serverId: 's' }), 'The audience is invalid'],
    ['too long', 'x'.repeat(5000), 'The token is longer than 4096 characters'],
  ])('%s is refused, and the answer is empty', async (_what, token, why) => {
    const answer = await post({ token });
    expect([answer.status, answer.body]).toEqual([401, '']);
    const challenge =
      why === 'Bearer' ? why : `Bearer error="invalid_token", error_description="${why}"`;
    expect(answer.headers.get('www-authenticate')).toBe(challenge);
  });

  test('that was good for one path is not for another', async () => {
    const token = rest(SEND);
    expect((await post({ token })).status).toBe(202);
    expect((await post({ token }, '/api/hubs/chat')).status).toBe(401);
    expect(
      (await call(world.url, 'POST /api/hubs/other/:send', { token, body: MESSAGE })).status,
    ).toBe(401);
  });

  test('is not read off the query', async () => {
    const answer = await post({ token: null }, `${SEND}?access_token=${rest(SEND)}`);
    expect(answer.status).toBe(401);
  });

  test('is not needed for health, and a bad one does no harm', async () => {
    for (const path of ['/api/health', '/api/v1/health', '/api/health?api-version=2024-12-01']) {
      for (const method of ['GET', 'HEAD']) {
        expect((await call(world.url, `${method} ${path}`, { token: 'bad' })).status).toBe(200);
      }
    }
  });
});

describe('an address', () => {
  test.each([
    ['POST /api/nowhere', 404, null],
    ['POST /api/hubs', 404, null],
    ['GET /api/v1', 404, null],
    ['POST /api/hubs//:send', 404, null],
    ['POST /api/hubs/chat/groups/:send', 202, null],
    ['POST /api/hubs/chat/nowhere/a/:send', 404, null],
    ['POST /api/v1/hubs/chat/:closeConnections', 404, null],
    ['PATCH /api/hubs/chat/:send', 405, 'POST'],
    ['GET /api/hubs/chat/:send', 405, 'POST'],
  ])('%s is answered %i', async (what, status, allow) => {
    const answer = await call(world.url, what, what.startsWith('POST') ? { body: MESSAGE } : {});
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-ms-error-code')).toBeNull();
    expect(answer.headers.get('allow')).toBe(allow);
  });

  test.each([
    ['/api/hubs/1chat/:send', 'Invalid hub name'],
    ['/api/hubs/a%20b/:send', 'Invalid hub name'],
    [`/api/hubs/${'a'.repeat(129)}/:send`, 'Invalid hub name'],
    [`${SEND}?application=1`, "Invalid value of 'application'"],
    [`${SEND}?api-version=latest`, 'api-version'],
    ['/api/hubs/chat/groups/%20/:send', 'Invalid group'],
    [`/api/hubs/chat/groups/${'g'.repeat(1025)}/:send`, 'Invalid group'],
    ['/api/hubs/chat/users/%ff/:send', 'percent-encoded'],
    [`/api/hubs/chat/connections/c/streams/${'s'.repeat(101)}/:send`, 'Invalid streamId'],
    ['/api/hubs/chat/connections/c/streams/%20/:complete', 'Invalid streamId'],
    [
      '/api/hubs/chat/connections/c/streams/s/:send?completed=maybe',
      "Invalid value of 'completed'",
    ],
    ['/api/hubs/chat/:generateToken?minutesToExpire=0', "Invalid value of 'minutesToExpire'"],
    [`/api/hubs/chat/:execute?filter=nonsense`, 'Invalid filter'],
  ])('%s is a bad request', async (path, why) => {
    const isExecute = path.includes(':execute');
    const answer = await post(isExecute ? { body: '[]' } : {}, path);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('x-ms-error-code')).toBe('Error.Request.Invalid');
    const { code, message } = JSON.parse(answer.body) as { code: string; message: string };
    expect([code, message]).toEqual(['Error.Request.Invalid', expect.stringContaining(why)]);
  });

  test.each([
    ['PUT /api/hubs/chat/users/u/groups/g?ttl=-1', "'ttl'"],
    ['PUT /api/hubs/chat/users/u/groups/g?ttl=1.5', "'ttl'"],
    ['GET /api/hubs/chat/groups/g/connections?maxpagesize=0', "'maxpagesize'"],
    ['GET /api/hubs/chat/groups/g/connections?maxPageSize=201', "'maxpagesize'"],
    ['GET /api/hubs/chat/groups/g/connections?top=x', "'top'"],
    ['GET /api/hubs/chat/groups/g/connections?continuationToken=x', 'continuation token'],
  ])('%s is a bad request', async (what, why) => {
    const answer = await call(world.url, what);
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining(why)]);
  });

  test('of version 1 is told so in plain text', async () => {
    const answer = await post({}, '/api/v1/hubs/1chat');
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('text/plain');
    expect(answer.body).toMatch(/^Invalid hub name/);
  });

  test('longer than 12 KB, and headers of more than 16 KB', async () => {
    const excluded = `?excluded=${'a'.repeat(12 * 1024)}`;
    expect((await post({}, SEND + excluded)).status).toBe(414);
    const headers = { 'x-a': 'a'.repeat(8 * 1024), 'x-b': 'b'.repeat(8 * 1024) };
    expect((await post({ headers })).status).toBe(431);
    expect((await post({}, `${SEND}?${'excluded=nobody&'.repeat(500)}`)).status).toBe(202);
  });
});

describe('a request', () => {
  test('has an id, and the one of its caller comes back', async () => {
    const headers = { 'x-ms-client-request-id': 'mine-1' };
    const one = await post({ headers });
    const other = await post({ headers: { 'x-ms-client-request-id': 'é'.repeat(3) } });
    expect(one.headers.get('x-ms-client-request-id')).toBe('mine-1');
    expect(other.headers.get('x-ms-client-request-id')).toBeNull();
    expect(one.headers.get('x-ms-request-id')).not.toBe(other.headers.get('x-ms-request-id'));
  });

  test('to nobody at all is accepted', async () => {
    for (const path of ['connections/x', 'users/x', 'groups/x']) {
      expect((await post({}, `/api/hubs/nobody/${path}/:send`)).status).toBe(202);
    }
  });
});

describe('a body', () => {
  const frame = (text: string) => Buffer.from(`${text}\x1e`);

  test.each<[string, string | Uint8Array, string | undefined]>([
    ['without arguments', '{"target":"say","arguments":["none"]}', undefined],
    ['in any case of its names', '{"TARGET":"say","aRGUMENTS":["none"]}', 'application/json'],
    ['with a charset', '{"target":"say","arguments":["none"]}', 'application/json; charset=utf-8'],
    ['with a byte order mark', '\ufeff{"target":"say","arguments":["none"]}', 'application/json'],
    ['in MessagePack', encode({ target: 'say', arguments: ['none'] }), 'application/x-msgpack'],
    [
      'of framed messages',
      encode({
        json: frame('{"type":1,"target":"say","arguments":["none"]}'),
        messagepack: Uint8Array.from(
          ((record: Uint8Array) => [record.length, ...record])(
            encode([1, {}, null, 'say', ['none'], []]),
          ),
        ),
      }),
      'application/octet-stream',
    ],
  ])('%s reaches clients of both protocols', async (_what, body, type) => {
    await using others = await world.people('ben');
    const headers = type === undefined ? {} : { 'content-type': type };
    const sent = await post({ body, headers }, '/api/hubs/chat/users/ben/:send');
    expect(sent.status).toBe(202);
    for (const client of others.both) expect(await hears(client, 'none')).toEqual(['none']);
  });

  test('of framed messages reaches nobody whose protocol it has not', async () => {
    await using others = await world.people('cid');
    const body = encode({ json: frame('{"type":1,"target":"say","arguments":["framed"]}') });
    const headers = { 'content-type': 'application/octet-stream' };
    await post({ body, headers }, '/api/hubs/chat/users/cid/:send');
    await post(
      { body: '{"target":"say","arguments":["later"]}' },
      '/api/hubs/chat/users/cid/:send',
    );
    await hears(others.json, 'framed');
    await hears(others.messagepack, 'later');
    expect(others.messagepack.said.all).toEqual([['later']]);
  });

  test.each<[string, string | Uint8Array, string]>([
    ['nothing', '', 'application/json'],
    ['no JSON', '{"target":"say"', 'application/json'],
    ['no object', '["say"]', 'application/json'],
    ['no target', '{"arguments":[]}', 'application/json'],
    ['an empty target', '{"target":""}', 'application/json'],
    ['a target that is no text', '{"target":1}', 'application/json'],
    ['no UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), 'application/json'],
    ['no MessagePack', Uint8Array.of(0xc1), 'application/x-msgpack'],
    ['half a map', Uint8Array.of(0x82, 0xa1, 0x61), 'application/x-msgpack'],
    ['no frames', Uint8Array.of(0x80), 'application/octet-stream'],
    [
      'frames and more',
      Uint8Array.of(0x81, 0xa1, 0x61, 0xc4, 0x00, 0x00),
      'application/octet-stream',
    ],
  ])('of %s is a bad request', async (_what, body, type) => {
    const answer = await post({ body, headers: { 'content-type': type } });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({
      message: 'Message in request body is required.',
    });
  });

  test.each([
    '{"target":"say","arguments":{}}',
    `{"target":"say","arguments":${'['.repeat(200)}${']'.repeat(200)}}`,
  ])('%s has bad arguments', async (body) => expect((await post({ body })).status).toBe(400));

  test('of another type is not taken', async () => {
    expect((await post({ headers: { 'content-type': 'text/plain' } })).status).toBe(415);
  });

  test('keeps its numbers', async () => {
    await using others = await world.people('dan');
    const body = '{"target":"say","arguments":["n",9007199254740993,1.50,{"b":1,"a":2}]}';
    await post({ body }, '/api/hubs/chat/users/dan/:send');
    expect(await hears(others.messagepack, 'n')).toEqual(
      ['n', 9007199254740993n, 1.5, { b: 1, a: 2 }].map((value) =>
        typeof value === 'bigint' ? Number(value) : value,
      ),
    );
    expect(await hears(others.json, 'n')).toEqual(['n', 9007199254740992, 1.5, { b: 1, a: 2 }]);
  });

  test('has 1 MB, and not more', async () => {
    await using others = await world.people('eve');
    const around = '{"target":"say","arguments":["big",""]}'.length;
    const big = (bytes: number) =>
      `{"target":"say","arguments":["big","${'x'.repeat(bytes - around)}"]}`;
    const path = '/api/hubs/chat/users/eve/:send';
    expect((await post({ body: big(MIB) }, path)).status).toBe(202);
    for (const client of others.both)
      expect((await hears(client, 'big'))[1]).toHaveLength(MIB - around);
    const over = await post({ body: big(MIB + 1) }, path);
    expect(over.status).toBe(413);
    expect(JSON.parse(over.body)).toMatchObject({
      message: 'A post may have 1048576 bytes at most.',
    });
    expect(over.headers.get('x-ms-request-id')).not.toBeNull();
  });

  test('may come in chunks, and slowly', async () => {
    const pieces = async function* () {
      for (let at = 0; at < MESSAGE.length; at += 10) {
        yield Buffer.from(MESSAGE.slice(at, at + 10));
        await wait(2);
      }
    };
    const body = ReadableStream.from(pieces()) as ReadableStream<Uint8Array>;
    const headers = { 'content-type': 'application/json' };
    expect((await post({ body, headers })).status).toBe(202);
  });

  test('that does not end holds what has come, until its caller goes', async () => {
    const { pools } = world.edges[0]!;
    const used = (pool: string) => [...pools.usage()].find(([name]) => name === pool)![1];
    const { hostname, port } = new URL(world.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const token = restToken(world.url + SEND);
    socket.write(
      `POST ${SEND} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${token}\r\nContent-Length: 1000\r\n\r\n{"target"`,
    );
    await expect.poll(() => [used('rest_posts'), used('rest_post_bytes')]).toEqual([1, 9]);
    socket.destroy();
    await expect.poll(() => [used('rest_posts'), used('rest_post_bytes')]).toEqual([0, 0]);
  });

  test('is not asked for where none is needed', async () => {
    const answer = await call(world.url, 'POST /api/hubs/none/:closeConnections');
    expect(answer.status).toBe(204);
    const given = await call(world.url, 'POST /api/hubs/none/:closeConnections', {
      body: 'anything',
    });
    expect(given.status).toBe(204);
  });
});
