import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

import { MessageType, type OpenConnection } from '@trunkline/protocol';
import { FakeAppServer, NGINX, startEdge, startNginx, type StartedNginx } from '@trunkline/testing';
import { type ClientOptions, WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { JSON_HANDSHAKE } from './support/hub-client.ts';
import { userToken } from './support/tokens.ts';

/** Where clients come from: not from where nginx does. Linux has all of 127/8. */
const CLIENT = process.platform === 'linux' ? '127.0.0.2' : '127.0.0.1';
const PROXY = '127.0.0.1';
const FORGED = {
  'x-forwarded-for': '192.0.2.7',
  'x-forwarded-proto': 'gopher',
  'x-forwarded-host': 'evil.example',
  'x-real-ip': '192.0.2.7',
  'true-client-ip': '192.0.2.7',
  'cf-connecting-ip': '192.0.2.7',
  'x-client-ip': '192.0.2.7',
  'x-ms-client-principal-name': 'admin',
  forwarded: 'for=192.0.2.7',
};
const NEGOTIATE = '/client/negotiate?hub=chat&negotiateVersion=1';

let edge: Awaited<ReturnType<typeof startEdge>>;
let hub: FakeAppServer;
let nginx: StartedNginx;
let url: string;
let users = 0;

/** For the tests of one `describe`: an edge with these flags behind nginx. */
function behindNginx(...flags: string[]): void {
  beforeAll(async () => {
    edge = await startEdge({ args: flags });
    hub = await FakeAppServer.connect(edge.url);
    nginx = await startNginx(edge.url);
    url = nginx.url.replace('localhost', PROXY);
  });
  afterAll(async () => {
    await nginx?.stop();
    await hub?.close();
    await edge?.stop();
  });
}

interface Arrival {
  /** To the upgrade. */
  readonly answer: IncomingMessage;
  /** As the hub is told of them. */
  readonly headers: OpenConnection['headers'];
}

/** A client that opens a connection, through nginx unless `base` says otherwise. */
async function arrive(headers: ClientOptions['headers'], base = url): Promise<Arrival> {
  const userId = `user ${users++}`;
  const socket = new WebSocket(`${base.replace(/^http/, 'ws')}/client/?hub=chat`, {
    ca: nginx.ca,
    localAddress: CLIENT,
    headers: { authorization: `Bearer ${userToken('chat', userId)}`, ...headers },
  });
  onTestFinished(() => socket.terminate());
  const [[answer]] = await Promise.all([once(socket, 'upgrade'), once(socket, 'open')]);
  socket.send(JSON_HANDSHAKE);
  const opened = await hub.received.first(
    (message): message is OpenConnection =>
      message.type === MessageType.OpenConnection &&
      message.claims.some(([, value]) => value === userId),
    `the OpenConnection of ${userId}`,
  );
  return { answer: answer as IncomingMessage, headers: opened.headers };
}

/** What the hub is told of the way that a client came. */
async function way(...args: Parameters<typeof arrive>): Promise<Record<string, unknown>> {
  const { headers } = await arrive(...args);
  return Object.fromEntries([...headers].filter(([name]) => name in FORGED));
}

/** The answer to a request through nginx; a body would be passed over. */
async function ask(path: string, options: RequestOptions): Promise<IncomingMessage> {
  const [answer] = await once(request(url + path, { ca: nginx.ca, ...options }).end(), 'response');
  return (answer as IncomingMessage).resume();
}

async function negotiate(headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
  const authorization = `Bearer ${userToken('chat', 'ann')}`;
  return ask(NEGOTIATE, { method: 'POST', headers: { authorization, ...headers } });
}

describe.skipIf(NGINX === undefined)('behind a trusted proxy (needs nginx)', () => {
  behindNginx('--trusted-proxies', PROXY);

  it.each([
    ['who the client is', {}],
    ['who the client is, not who it says it is', FORGED],
  ])('the hub is told %s', async (_what, headers) => {
    expect(await way(headers)).toEqual({
      'x-forwarded-for': [CLIENT],
      'x-forwarded-proto': ['https'],
      'x-forwarded-host': [new URL(url).host],
    });
  });

  it.skipIf(CLIENT === PROXY)('somebody else is not believed', async () => {
    expect(await way(FORGED, edge.url)).toEqual({ 'x-forwarded-for': [CLIENT] });
  });

  it('cookies of the app reach the hub as they were set, and the edge sets none', async () => {
    const cookies = ['session="a=b, c"; HttpOnly; Path=/', 'theme=%20dark; SameSite=Lax; Path=/'];
    const app = createServer((_request, response) => {
      response.setHeader('set-cookie', cookies).end();
    }).listen(0, PROXY);
    await once(app, 'listening');
    onTestFinished(() => app.close().closeAllConnections());
    nginx.app.target = `http://${PROXY}:${(app.address() as AddressInfo).port}`;
    expect((await ask('/', {})).headers['set-cookie']).toEqual(cookies);

    const cookie = 'session="a=b, c"; theme=%20dark';
    const { answer, headers } = await arrive({ cookie });
    expect(headers.get('cookie')).toEqual([cookie]);
    expect(answer.headers['set-cookie']).toBeUndefined();
    const negotiated = await negotiate({ cookie });
    expect([negotiated.statusCode, negotiated.headers['set-cookie']]).toEqual([200, undefined]);
  });
});

describe.skipIf(NGINX === undefined)('behind a proxy that is not trusted (needs nginx)', () => {
  behindNginx('--trusted-proxies', '192.0.2.0/24', '--allowed-origins', 'https://a.example');

  it('the hub is told of the proxy only', async () => {
    expect(await way({})).toEqual({ 'x-forwarded-for': [PROXY] });
    expect(await way(FORGED)).toEqual({ 'x-forwarded-for': [PROXY] });
  });

  it('pages of the same host and of listed origins may connect, and no others', async () => {
    for (const origin of [url, 'https://a.example']) {
      await arrive({ origin });
      expect((await negotiate({ origin })).statusCode).toBe(200);
    }
    for (const origin of ['https://b.example', 'null', `${url}0`]) {
      await expect(arrive({ origin })).rejects.toThrow('403');
      expect((await negotiate({ origin })).statusCode).toBe(403);
    }
  });
});
