import { describe, expect, it } from 'vitest';

import { HttpConnection } from './support/http-connection.ts';
import { JSON_HANDSHAKE } from './support/hub-client.ts';
import { PollClient } from './support/request-clients.ts';
import { sharedEdge } from './support/shared-edge.ts';

/** A browser's script reads an answer only if it names the page's origin: so must all of them. */

const ORIGIN = 'https://app.example.com';
const headers = { origin: ORIGIN };

const { edge } = await sharedEdge({
  args: ['--max-batch-bytes', '5000', '--max-message-bytes', '5000'],
});

/** The status of an answer that names the origin, as a browser wants it; else its headers. */
function named({ status, headers: answered }: Response): number | object {
  const asBrowsersWantIt =
    answered.get('access-control-allow-origin') === ORIGIN &&
    answered.get('access-control-allow-credentials') === 'true' &&
    answered.get('vary') === 'Origin';
  return asBrowsersWantIt ? status : { status, headers: Object.fromEntries(answered) };
}

it('answers to polls, posts and leaving name the origin, good and bad', async () => {
  const connection = await HttpConnection.negotiate(edge.url);
  expect(named(await connection.poll({ headers }))).toBe(200);
  expect(named(await connection.post(JSON_HANDSHAKE, { headers }))).toBe(200);
  expect(named(await connection.poll({ headers }))).toBe(200);
  expect(named(await connection.stream({ headers }))).toBe(400);
  expect(named(await connection.post('x'.repeat(5001), { headers }))).toBe(413);
  const pending = connection.poll({ headers });
  await expect.poll(async () => (await connection.leave({ headers })).status).toBe(404);
  expect(named(await pending)).toBe(204);
  expect(named(await connection.leave({ headers }))).toBe(404);
  expect(named(await connection.poll({ headers, id: undefined }))).toBe(400);
  expect(named(await connection.poll({ headers, token: undefined }))).toBe(401);
  expect(named(await connection.post('x', { headers, token: 'x' }))).toBe(401);
});

it('answers to event streams name the origin, good and bad', async () => {
  const connection = await HttpConnection.negotiate(edge.url);
  const away = new AbortController();
  expect(named(await connection.stream({ headers, signal: away.signal }))).toBe(200);
  expect(named(await connection.stream({ headers }))).toBe(409);
  expect(named(await connection.leave({ headers }))).toBe(400);
  expect(named(await connection.poll({ headers }))).toBe(400);
  away.abort();
});

it('a client that leaves is answered with the origin', async () => {
  const client = await PollClient.connect(edge.url);
  expect(named(await client.connection.leave({ headers }))).toBe(202);
});

describe('what is nothing', () => {
  it.each([
    ['PUT', '/client/?hub=chat', 405],
    ['PUT', '/client?hub=chat', 405],
    ['GET', '/client/negotiate?hub=chat', 404],
    ['GET', '/nothing', 404],
  ])('%s %s names the origin', async (method, path, status) => {
    expect(named(await fetch(edge.url + path, { method, headers }))).toBe(status);
  });
});

describe('a preflight', () => {
  it.each(['/client/negotiate?hub=chat', '/client/?hub=chat&id=x&_=1', '/client?hub=chat&id=x'])(
    'for %s allows what is asked for, and needs no token',
    async (path) => {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const response = await fetch(edge.url + path, {
          method: 'OPTIONS',
          headers: {
            ...headers,
            'access-control-request-method': method,
            'access-control-request-headers': 'authorization,x-signalr-user-agent,x-mine',
          },
        });
        expect(named(response)).toBe(204);
        expect(response.headers.get('access-control-allow-methods')).toContain(method);
        expect(response.headers.get('access-control-allow-headers')).toBe(
          'authorization,x-signalr-user-agent,x-mine',
        );
      }
    },
  );
});
