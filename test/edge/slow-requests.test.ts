import { describe, expect, it } from 'vitest';

import { metric } from './support/metrics.ts';
import { answersIn } from './support/raw-http.ts';
import { RawSocket } from './support/raw-socket.ts';
import { StreamClient } from './support/request-clients.ts';
import { sharedEdge } from './support/shared-edge.ts';

/** uWebSockets.js gives a head ten seconds, and a body ten more for every 160 KB. */

const { edge } = await sharedEdge();

describe.concurrent('a request that trickles', () => {
  const GIVEN_UP_MS = 20_000;

  /** How long the edge bears a connection that goes on sending a few bytes twice a second. */
  async function trickle(socket: RawSocket, bytes: string): Promise<number> {
    const timer = setInterval(() => socket.write(bytes), 500);
    const started = performance.now();
    await socket.ended;
    clearInterval(timer);
    return performance.now() - started;
  }

  it.each([
    ['in its first line', 'GET /client/?hub=chat&id=', 'x'],
    ['in a header', 'GET /client/?hub=chat HTTP/1.1\r\nHost: edge\r\nX: ', 'x'],
    ['header by header', 'GET /client/?hub=chat HTTP/1.1\r\nHost: edge\r\n', 'x: y\r\n'],
  ])(
    '%s is given up, as the first of its connection and later',
    async (_name, start, more) => {
      using first = new RawSocket(edge.url);
      first.write(start);
      using later = new RawSocket(edge.url);
      later.request('GET', '/api/health');
      await later.answer();
      later.write(start);
      const times = await Promise.all([first, later].map((socket) => trickle(socket, more)));
      for (const time of times) expect(time).toBeLessThan(GIVEN_UP_MS);
      expect([first, later].map(({ text }) => answersIn(text).length)).toEqual([0, 1]);
    },
    30_000,
  );

  it.each([
    ['of a known length', 'Content-Length: 1000\r\n\r\n', 'x'],
    ['of a known length, at 2 KB a second', 'Content-Length: 100000\r\n\r\n', 'x'.repeat(1000)],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n', '1\r\nx\r\n'],
    ['in the size of a chunk', 'Transfer-Encoding: chunked\r\n\r\n', '0'],
  ])(
    'in its body %s is given up, and the client is not',
    async (_name, head, bytes) => {
      await using client = await StreamClient.connect(edge.url);
      const { path, negotiated } = client.connection;
      using socket = new RawSocket(edge.url);
      const lines = [
        `POST ${path} HTTP/1.1`,
        'Host: edge',
        `Authorization: Bearer ${negotiated.accessToken}`,
      ];
      socket.write(`${lines.join('\r\n')}\r\n${head}`);
      expect(await trickle(socket, bytes)).toBeLessThan(GIVEN_UP_MS);
      expect(socket.text).toBe('');
      expect(await client.call('echo', 'on')).toBe('on');
    },
    30_000,
  );

  it('in a body that nobody reads is given up', async () => {
    using socket = new RawSocket(edge.url);
    socket.request('POST', '/client/?hub=chat&id=x', { 'Content-Length': '1000' });
    expect((await socket.answer()).status).toBe('HTTP/1.1 401 Unauthorized');
    expect(await trickle(socket, 'x')).toBeLessThan(GIVEN_UP_MS);
  }, 30_000);

  it('is no longer counted', async () => {
    await expect
      .poll(() => metric(edge, 'trunkline_pool_used', { pool: 'posts' }), { timeout: GIVEN_UP_MS })
      .toBe(0);
  }, 30_000);
});
