import { describe, expect, it } from 'vitest';

import { EventReader } from './support/event-reader.ts';
import { HttpConnection } from './support/http-connection.ts';
import { HubClient, JSON_HANDSHAKE } from './support/hub-client.ts';
import { negotiate } from './support/negotiate.ts';
import { frame, Opcode, RawSocket } from './support/raw-socket.ts';
import { sharedEdge } from './support/shared-edge.ts';
import { token } from './support/tokens.ts';

/** Statuses and bodies of client protocols reference, section 2.0. */

const { edge } = await sharedEdge();

/** Status, media type and body. */
type Said = readonly [number, string | null, string];

async function said(asking: Promise<Response>): Promise<Said> {
  const response = await asking;
  const body = await response.text();
  expect(response.headers.get('content-length')).toBe(`${Buffer.byteLength(body)}`);
  return [response.status, response.headers.get('content-type'), body];
}

/** The same for a WebSocket, whose refusals fetch cannot see. */
async function saidToUpgrade(path: string, accessToken: string): Promise<Said | 'open'> {
  using socket = new RawSocket(edge.url);
  const { status, headers, rest } = await socket.upgrade(path, {
    Authorization: `Bearer ${accessToken}`,
  });
  if (status.startsWith('HTTP/1.1 101')) return 'open';
  const code = Number(status.split(' ')[1]);
  return [code, headers.get('content-type') ?? null, rest.toString()];
}

const REQUESTS = {
  poll: (connection: HttpConnection, options = {}) => connection.poll(options),
  stream: (connection: HttpConnection, options = {}) => connection.stream(options),
  post: (connection: HttpConnection, options = {}) => connection.post('x', options),
  leave: (connection: HttpConnection, options = {}) => connection.leave(options),
} as const;
type Kind = keyof typeof REQUESTS;
const KINDS = Object.keys(REQUESTS) as Kind[];

const TEXT = 'text/plain';
const NO_ID: Said = [400, TEXT, 'Connection ID required'];
const UNKNOWN: Said = [404, TEXT, 'No Connection with that ID'];
const CHANGED: Said = [400, TEXT, 'Cannot change transports mid-connection'];
const IN_USE: Said = [409, null, ''];
const NO_DELETE: Said = [400, TEXT, 'Cannot terminate this connection using the DELETE endpoint.'];
const NO_POST: Said = [405, TEXT, 'POST requests are not allowed for WebSocket connections.'];

describe.each(KINDS)('%s', (kind) => {
  const ask = (connection: HttpConnection, options = {}): Promise<Said> =>
    said(REQUESTS[kind](connection, options));

  it('without an id is 400, with an unknown one 404', async () => {
    const connection = await HttpConnection.negotiate(edge.url);
    for (const id of [undefined, '']) expect(await ask(connection, { id })).toEqual(NO_ID);
    const known = connection.negotiated.connectionToken;
    for (const id of ['x', 'A'.repeat(20), known.slice(1), `${known}x`, `${known}.x`]) {
      expect(await ask(connection, { id })).toEqual(UNKNOWN);
    }
  });

  it('without a hub is 400, without a token 401', async () => {
    const connection = await HttpConnection.negotiate(edge.url);
    expect((await ask(connection, { hub: '' }))[0]).toBe(400);
    expect(await ask(connection, { token: undefined })).toEqual([401, null, '']);
  });
});

/** What each request is answered with when the id is a live connection's. */
const LIVE = {
  webSockets: { poll: CHANGED, stream: CHANGED, post: NO_POST, leave: NO_DELETE, socket: IN_USE },
  serverSentEvents: { poll: CHANGED, stream: IN_USE, leave: NO_DELETE, socket: CHANGED },
  longPolling: { stream: CHANGED, socket: CHANGED },
} as const;

/** A connection in use. */
interface InUse {
  /** Shakes hands, and gives what the client hears of it. */
  shakeHands(): Promise<string>;
  leave(): void;
}

/** Takes the id up by a transport. */
const TAKE_UP: Record<keyof typeof LIVE, (connection: HttpConnection) => Promise<InUse>> = {
  webSockets: async ({ path, negotiated }) => {
    const socket = new RawSocket(edge.url);
    await socket.upgrade(path, { Authorization: `Bearer ${negotiated.accessToken}` });
    const shakeHands = async (): Promise<string> => {
      socket.write(frame(Opcode.Text, JSON_HANDSHAKE));
      return (await socket.frames.first(() => true, 'the response')).payload.toString();
    };
    return { shakeHands, leave: () => socket[Symbol.dispose]() };
  },
  serverSentEvents: async (connection) => {
    const away = new AbortController();
    const { events } = new EventReader(await connection.stream({ signal: away.signal }));
    const shakeHands = async (): Promise<string> => {
      await connection.post(JSON_HANDSHAKE);
      return await events.first(() => true, 'the response');
    };
    return { shakeHands, leave: () => away.abort() };
  },
  longPolling: async (connection) => {
    await (await connection.poll()).text();
    const shakeHands = async (): Promise<string> => {
      await connection.post(JSON_HANDSHAKE);
      return await (await connection.poll()).text();
    };
    return { shakeHands, leave: () => void connection.leave() };
  },
};

describe.each(Object.keys(LIVE) as (keyof typeof LIVE)[])('on a connection by %s', (transport) => {
  it.each(Object.entries(LIVE[transport]))(
    '%s is refused, and it lives on',
    async (kind, answer) => {
      const connection = await HttpConnection.negotiate(edge.url, { userId: 'ann' });
      const { accessToken } = connection.negotiated;
      const { shakeHands, leave } = await TAKE_UP[transport](connection);
      for (let times = 0; times < 2; times++) {
        const answered =
          kind === 'socket'
            ? saidToUpgrade(connection.path, accessToken)
            : said(REQUESTS[kind as Kind](connection));
        expect(await answered).toEqual(answer);
      }
      expect(await shakeHands()).toBe('{}\x1e');
      leave();
    },
  );
});

it('a WebSocket without an id is a connection of its own, with an unknown one 404', async () => {
  const { accessToken } = await negotiate(edge.url);
  expect(await saidToUpgrade('/client/?hub=chat', accessToken)).toBe('open');
  expect(await saidToUpgrade('/client/?hub=chat&id=', accessToken)).toBe('open');
  expect(await saidToUpgrade('/client/?hub=chat&id=x', accessToken)).toEqual(UNKNOWN);
});

describe('transports that are not served', () => {
  const refusal = (name: string): Said => [
    404,
    TEXT,
    `${name} transport not supported by this end point type`,
  ];
  const ask = async (url: string, bits?: number): Promise<Record<string, Said | 'open'>> => {
    const accessToken = token({ payload: { 'asrs.s.htt': bits } });
    const connect = (): Promise<HttpConnection> =>
      HttpConnection.negotiate(url, { token: accessToken });
    return {
      webSockets: await saidToUpgrade((await connect()).path, accessToken),
      streams: await said((await connect()).stream()),
      polls: await said((await connect()).poll()),
    };
  };

  it('by the token are refused', async () => {
    expect(await ask(edge.url, 1)).toMatchObject({
      webSockets: 'open',
      streams: refusal('ServerSentEvents'),
      polls: refusal('LongPolling'),
    });
    expect(await ask(edge.url, 4)).toMatchObject({
      webSockets: refusal('WebSockets'),
      streams: refusal('ServerSentEvents'),
      polls: [200, 'application/octet-stream', ''],
    });
  });
});

describe('a method that is none of these', () => {
  it.each(['PUT', 'PATCH', 'HEAD'])(
    '%s is 405, and the connection can be used on',
    async (method) => {
      for (const path of ['/client/?hub=chat&id=x', '/client?hub=chat&id=x']) {
        using socket = new RawSocket(edge.url);
        socket.request(method, path, { 'Content-Length': '0' });
        socket.request('GET', '/api/health');
        await expect.poll(() => socket.text).toContain('HTTP/1.1 200 OK');
        const [refusal = '', health = ''] = socket.text.split('HTTP/1.1 200 OK');
        expect(refusal).toMatch(/^HTTP\/1\.1 405 Method Not Allowed\r\n/);
        expect(refusal.toLowerCase()).toContain('allow: get, post, delete, options\r\n');
        expect(health).toMatch(/Content-Length: 0\r\n\r\n$/);
        // What answers a HEAD ends with its head.
        expect(refusal.endsWith('\r\n\r\n')).toBe(method === 'HEAD');
      }
    },
  );
});

it('a client reaches its hub at /client as at /client/', async () => {
  const { hub, accessToken, connectionToken } = await negotiate(edge.url);
  const url = `${edge.url}/client?hub=${hub}&id=${connectionToken}`;
  const headers = { authorization: `Bearer ${accessToken}` };
  expect((await fetch(url, { headers })).status).toBe(200);
  const post = await fetch(url, { method: 'POST', body: JSON_HANDSHAKE, headers });
  expect(post.status).toBe(200);
  expect(await (await fetch(url, { headers })).text()).toBe('{}\x1e');
  expect((await fetch(url, { method: 'DELETE', headers })).status).toBe(202);
  await using client = await HubClient.connect(edge.url);
  expect(await client.call('echo', 1)).toBe(1);
});
