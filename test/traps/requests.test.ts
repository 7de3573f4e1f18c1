/** Client protocols reference, section 10: HTTP answers as clients read them. */
import { MessageType } from '@trunkline/protocol';
import { FakeAppServer } from '@trunkline/testing';
import { afterAll, expect, it } from 'vitest';

import { HttpConnection } from '../edge/support/http-connection.ts';
import { JSON_HANDSHAKE } from '../edge/support/hub-client.ts';
import { RawSocket } from '../edge/support/raw-socket.ts';
import { runEdge } from '../edge/support/run-edge.ts';
import { userToken } from '../edge/support/tokens.ts';
import { sharedApp } from './support/app.ts';
import { officialClient } from './support/official-client.ts';

const { edge, app } = await sharedApp({ args: ['--poll-timeout', '1'] });
const server = await FakeAppServer.connect(edge.url, { hub: 'fake' });
afterAll(() => server.close());

const authorized = (): Record<string, string> => ({
  authorization: `Bearer ${userToken('fake', 'ann')}`,
});

/** A client that polls, its handshake done. */
async function polling(): Promise<HttpConnection> {
  const client = await HttpConnection.negotiate(edge.url, { hub: 'fake' });
  await client.openPolling(JSON_HANDSHAKE);
  return client;
}

/** The body of an answer, whose length must be given. */
async function bodyOf(answer: Response): Promise<string> {
  const body = await answer.text();
  expect(answer.headers.get('content-length')).toBe(String(Buffer.byteLength(body)));
  return body;
}

it('trap 18: posts are answered with nothing, the rest with a length, JSON without null', async () => {
  const client = await HttpConnection.negotiate(edge.url, { hub: 'fake' });
  expect(await bodyOf(await client.poll())).toBe('');
  expect(await bodyOf(await client.post(JSON_HANDSHAKE))).toBe('');
  expect(await bodyOf(await client.poll())).toBe('{}\x1e');
  const negotiates = ['', '&negotiateVersion=1', '&negotiateVersion=x'].map((query) =>
    fetch(`${edge.url}/client/negotiate?hub=fake${query}`, {
      method: 'POST',
      headers: authorized(),
    }),
  );
  negotiates.push(fetch(`${app.url}/chat/negotiate?negotiateVersion=1`, { method: 'POST' }));
  for (const answer of await Promise.all(negotiates)) {
    const body = await bodyOf(answer);
    const { availableTransports = [] } = JSON.parse(body) as {
      availableTransports?: { transport: string; transferFormats: string[] }[];
    };
    expect(body).not.toContain('null');
    for (const { transport, transferFormats } of availableTransports) {
      expect(['WebSockets', 'ServerSentEvents', 'LongPolling']).toContain(transport);
      expect(['Text', 'Text Binary']).toContain(transferFormats.join(' '));
    }
  }
});

it('trap 19: a 401 comes with its reason phrase, which clients show', async () => {
  const requests = [
    ['POST', '/client/negotiate?hub=fake'],
    ['GET', '/client/?hub=fake&id=x'],
    ['POST', '/client/?hub=fake&id=x'],
    ['DELETE', '/client/?hub=fake&id=x'],
  ] as const;
  for (const [method, path] of requests) {
    using socket = new RawSocket(edge.url);
    socket.request(method, path, { 'Content-Length': '0' });
    expect((await socket.answer()).status).toBe('HTTP/1.1 401 Unauthorized');
  }
  for (const path of ['/client/?hub=fake', '/server/?hub=fake']) {
    using socket = new RawSocket(edge.url);
    expect((await socket.upgrade(path)).status).toBe('HTTP/1.1 401 Unauthorized');
  }
  const client = officialClient(`${edge.url}/client/?hub=fake`, {
    accessTokenFactory: () => userToken('fake', 'ann', 'not the key'),
  });
  await expect(client.start()).rejects.toThrow(
    "Failed to complete negotiation with the server: Error: Unauthorized: Status code '401'",
  );
});

it('trap 20: polls begin empty, hang for less than clients wait, and end only behind all data', async () => {
  const client = await HttpConnection.negotiate(edge.url, { hub: 'fake' });
  const first = await client.poll();
  expect([first.status, await first.text()]).toEqual([200, '']);
  await client.post(JSON_HANDSHAKE);
  expect(await (await client.poll()).text()).toBe('{}\x1e');

  const hung = await client.poll();
  expect([hung.status, await hung.text()]).toEqual([200, '']);
  expect(await runEdge(['--dev', '--poll-timeout', '100'])).toMatchObject({ code: 1 });

  const { connectionId } = client.negotiated;
  const rivals = [client.poll(), client.poll()];
  expect((await Promise.race(rivals)).status).toBe(204);
  server.data(connectionId, Buffer.from('{"type":6}\x1e'));
  const bodies = await Promise.all(rivals.map(async (rival) => (await rival).text()));
  expect(bodies.sort()).toEqual(['', '{"type":6}\x1e']);
  server.data(connectionId, Buffer.from('{"type":7}\x1e'));
  server.write({
    type: MessageType.CloseConnection,
    connectionId,
    errorMessage: '',
    headers: new Map(),
  });
  const last = await client.poll();
  expect([last.status, await last.text()]).toEqual([200, '{"type":7}\x1e']);
  expect((await client.poll()).status).toBe(204);
  expect((await client.poll()).status).toBe(404);
});

it('trap 21: each poll may have a URL of its own, is not cached, and is preflighted for nothing', async () => {
  const client = await polling();
  const { hub, connectionToken } = client.negotiated;
  for (const [n, value] of ['1', '2'].entries()) {
    server.data(client.negotiated.connectionId, Buffer.from(`{"type":6,"n":${value}}\x1e`));
    const url = `${edge.url}/client/?hub=${hub}&id=${connectionToken}&_=${1000 + n}`;
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: { origin: 'https://a.example', 'access-control-request-method': 'GET' },
    });
    expect([preflight.status, await preflight.text()]).toEqual([204, '']);
    const answer = await fetch(url, {
      headers: { authorization: `Bearer ${client.negotiated.accessToken}` },
    });
    expect(answer.headers.get('cache-control')).toBe('no-cache, no-store');
    expect(await answer.text()).toBe(`{"type":6,"n":${value}}\x1e`);
  }
});

it('trap 30: a preflight allows what is asked, and no answer names the origin *', async () => {
  const origin = 'https://a.example';
  const asked = 'authorization,x-requested-with,x-signalr-user-agent,x-own';
  const headers = {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': asked,
  };
  for (const path of ['/client/negotiate?hub=fake', '/client/?hub=fake&id=x']) {
    const preflight = await fetch(`${edge.url}${path}`, { method: 'OPTIONS', headers });
    expect(preflight.headers.get('access-control-allow-headers')).toBe(asked);
    expect(preflight.headers.get('access-control-allow-methods')).toMatch(/GET.*POST.*DELETE/);
    const refused = await fetch(`${edge.url}${path}`, { method: 'POST', headers: { origin } });
    for (const answer of [preflight, refused]) {
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
      expect(answer.headers.get('vary')).toContain('Origin');
    }
  }
});
