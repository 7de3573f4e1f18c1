import { describe, expect, it } from 'vitest';

import { expectAlive } from './support/alive.ts';
import { metric } from './support/metrics.ts';
import { RawSocket } from './support/raw-socket.ts';
import { randomBytes } from './support/seeded.ts';
import { sharedEdge } from './support/shared-edge.ts';

const { edge } = await sharedEdge();

const LONG = 'a'.repeat(40_000);
const POST = 'POST /client/negotiate?hub=chat HTTP/1.1\r\nHost: edge\r\n';

describe('the public port refuses', () => {
  it.each([
    ['bytes of no meaning', '\x00\x01\x02\xff\r\n\r\n', 505],
    ['HTTP/1.0', 'GET /api/health HTTP/1.0\r\n\r\n', 505],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    ['a giant header', `GET /api/health HTTP/1.1\r\nHost: edge\r\nX: ${LONG}\r\n\r\n`, 431],
    [
      'a header without an end',
      `GET /api/health HTTP/1.1\r\nHost: edge\r\nX: ${LONG.repeat(10)}`,
      431,
    ],
    ['a giant URL', `GET /${LONG} HTTP/1.1\r\nHost: edge\r\n\r\n`, 431],
    ['hundreds of headers', `GET / HTTP/1.1\r\nHost: edge\r\n${'x: y\r\n'.repeat(500)}\r\n`, 431],
    ['a Content-Length beyond numbers', `${POST}Content-Length: ${'9'.repeat(30)}\r\n\r\n`, 400],
    ['a negative Content-Length', `${POST}Content-Length: -1\r\n\r\n`, 400],
    ['two lengths', `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
    ['a chunk of no size', `${POST}Transfer-Encoding: chunked\r\n\r\nZZZ\r\n`, 400],
  ])('%s', async (_name, request, status) => {
    using socket = new RawSocket(edge.url);
    socket.write(Buffer.from(request, 'latin1'));
    await socket.ended;
    // A chunked body is refused after its request has been answered.
    expect(socket.text).toMatch(new RegExp(`^HTTP/1\\.1 (?:${status}|401) `));
    expect(socket.text).toContain(`HTTP/1.1 ${status} `);
    await expectAlive(edge);
  });

  it.each([
    ['two hosts', 'Host: edge\r\nHost: evil.example\r\n'],
    ['two hosts, the first empty', 'Host: \r\nHost: edge\r\n'],
    ['two lengths that differ', 'Host: edge\r\nContent-Length: 0\r\nContent-Length: 70\r\n'],
    ['one length twice', 'Host: edge\r\nContent-Length: 0\r\nContent-Length: 0\r\n'],
  ])('%s, and lets nothing in behind', async (_name, headers) => {
    for (const target of [
      'GET /api/health',
      'GET /client/?hub=chat',
      'POST /client/?hub=chat&id=a',
      'POST /client/negotiate?hub=chat',
      'DELETE /client/?hub=chat&id=a',
      'PUT /client/?hub=chat',
      'OPTIONS /client/',
      'GET /nowhere',
    ]) {
      const head = `${target} HTTP/1.1\r\n${headers}\r\n`;
      using socket = new RawSocket(edge.url);
      socket.write(head);
      await socket.ended;
      expect([target, socket.text.slice(0, 13)]).toEqual([target, 'HTTP/1.1 400 ']);
      using smuggler = new RawSocket(edge.url);
      smuggler.write(`${head}GET /api/health HTTP/1.1\r\nHost: edge\r\n\r\n`);
      await smuggler.ended;
      expect([target, smuggler.text]).toEqual([target, '']);
    }
    await expectAlive(edge);
  });

  it('the rest of a body announced at 100 GB, having answered', async () => {
    using socket = new RawSocket(edge.url);
    socket.write(`${POST}Content-Length: 100000000000\r\n\r\n`);
    expect((await socket.answer()).status).toBe('HTTP/1.1 401 Unauthorized');
    await expectAlive(edge);
  });

  it('random bytes, and lives', async () => {
    const before = await metric(edge, 'process_open_fds');
    for (let seed = 1; seed <= 50; seed++) {
      using socket = new RawSocket(edge.url);
      // With an end of a head, so that there is something to refuse.
      socket.write(Buffer.concat([randomBytes(seed, 500), Buffer.from('\r\n\r\n')]));
      await Promise.race([socket.ended, socket.answer().catch(() => undefined)]);
    }
    await expect.poll(() => metric(edge, 'process_open_fds')).toBeLessThanOrEqual(before);
    await expectAlive(edge);
  }, 60_000);
});

describe('an upgrade that is none', () => {
  const headers = (changes: Record<string, string>): string =>
    Object.entries({
      Host: 'edge',
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...changes,
    })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');

  it.each([
    ['with a short key', { 'Sec-WebSocket-Key': 'abc' }],
    ['with an empty key', { 'Sec-WebSocket-Key': '' }],
    ['with a giant key', { 'Sec-WebSocket-Key': 'a'.repeat(20_000) }],
    ['for two hosts', { host: 'evil.example' }],
  ])('%s', async (_name, changes) => {
    for (const path of ['/client/', '/server/']) {
      using socket = new RawSocket(edge.url);
      socket.write(`GET ${path}?hub=chat HTTP/1.1\r\n${headers(changes)}\r\n`);
      expect((await socket.answer()).status).toMatch(/^HTTP\/1\.1 4\d\d /);
    }
    await expectAlive(edge);
  });
});

it.each(['/client/', '/server/'])('WebSockets at %s are of version 13', async (path) => {
  for (const version of ['8', '12', '14', '13, 8', '']) {
    using socket = new RawSocket(edge.url);
    const answer = await socket.upgrade(`${path}?hub=chat`, { 'Sec-WebSocket-Version': version });
    expect(answer.status).toBe('HTTP/1.1 426 Upgrade Required');
    expect(answer.headers.get('sec-websocket-version')).toBe('13');
  }
});

it('no answer names the library behind it', async () => {
  for (const path of ['/api/health', '/nowhere', '/client/?hub=chat']) {
    using socket = new RawSocket(edge.url);
    socket.request('GET', path);
    const { headers } = await socket.answer();
    expect([...headers.keys()].filter((name) => /server|powered|sockets/.test(name))).toEqual([]);
  }
});

it('the admin port lives through the same', async () => {
  for (const bytes of [
    '\x00\xff\r\n\r\n',
    `GET /${LONG} HTTP/1.1\r\n\r\n`,
    'GET /metrics HTTP/9\r\n\r\n',
  ]) {
    using socket = new RawSocket(edge.adminUrl);
    socket.write(bytes);
    await socket.ended;
    expect(socket.text).toMatch(/^(?:HTTP\/1\.1 4\d\d |$)/);
  }
  expect((await fetch(`${edge.adminUrl}/live`)).status).toBe(200);
});
