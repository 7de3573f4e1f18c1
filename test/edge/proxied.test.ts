import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { get, request } from 'node:https';
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
  forwarded: 'for=192.0.2.7',
};

describe.skipIf(NGINX === undefined)('behind a proxy (needs nginx)', () => {
  let edge: Awaited<ReturnType<typeof startEdge>>;
  let hub: FakeAppServer;
  let nginx: StartedNginx;
  let users = 0;

  async function start(...flags: string[]): Promise<void> {
    edge = await startEdge({ args: flags });
    hub = await FakeAppServer.connect(edge.url);
    nginx = await startNginx(edge.url);
  }

  afterAll(async () => {
    await nginx?.stop();
    await hub?.close();
    await edge?.stop();
  });

  const proxied = (path: string): string => nginx.url.replace('localhost', PROXY) + path;

  interface Arrival {
    /** Of the answer to the upgrade. */
    readonly answer: IncomingMessage;
    /** As the hub is told of them. */
    readonly headers: OpenConnection['headers'];
  }

  /** A client that opens a connection, through the proxy unless `base` says otherwise. */
  async function arrive(headers: ClientOptions['headers'], base = proxied('')): Promise<Arrival> {
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
      `the opening of ${userId}`,
    );
    return { answer: answer as IncomingMessage, headers: opened.headers };
  }

  /** What the hub is told of the way that a client came. */
  async function way(...args: Parameters<typeof arrive>): Promise<Record<string, unknown>> {
    const { headers } = await arrive(...args);
    return Object.fromEntries([...headers].filter(([name]) => name in FORGED));
  }

  describe('that is trusted', () => {
    beforeAll(() => start('--trusted-proxies', PROXY));

    it.each([
      ['who the client is', {}],
      ['who the client is, not who it says it is', FORGED],
    ])('tells the hub %s', async (_what, headers) => {
      expect(await way(headers)).toEqual({
        'x-forwarded-for': [CLIENT],
        'x-forwarded-proto': ['https'],
        'x-forwarded-host': [new URL(proxied('')).host],
      });
    });

    it.skipIf(CLIENT === PROXY)('is nobody else', async () => {
      expect(await way(FORGED, edge.url)).toEqual({ 'x-forwarded-for': [CLIENT] });
    });

    it('brings the cookies of the app to the hub, and none of the edge to the client', async () => {
      const cookies = ['session="a=b; c"; HttpOnly; Path=/', 'theme=%20dark; SameSite=Lax; Path=/'];
      const app = createServer((_request, response) => {
        response.setHeader('set-cookie', cookies).end();
      }).listen(0, PROXY);
      await once(app, 'listening');
      onTestFinished(() => app.close().closeAllConnections());
      nginx.app.target = `http://${PROXY}:${(app.address() as AddressInfo).port}`;
      const [page] = await once(get(proxied('/'), { ca: nginx.ca }), 'response');
      expect((page as IncomingMessage).resume().headers['set-cookie']).toEqual(cookies);

      const cookie = 'session="a=b; c"; theme=%20dark';
      const { answer, headers } = await arrive({ cookie });
      expect(headers.get('cookie')).toEqual([cookie]);
      expect(answer.headers['set-cookie']).toBeUndefined();
      const negotiate = request(proxied('/client/negotiate?hub=chat'), {
        ca: nginx.ca,
        method: 'POST',
        headers: { cookie, authorization: `Bearer ${userToken('chat', 'ann')}` },
      }).end();
      const [{ statusCode, headers: answered }] = (await once(negotiate, 'response')) as [
        IncomingMessage,
      ];
      expect([statusCode, answered['set-cookie']]).toEqual([200, undefined]);
    });
  });
});
