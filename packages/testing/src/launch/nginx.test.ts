import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
} from 'node:http';
import { get } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { NGINX, startNginx, type StartedNginx } from './nginx.ts';

const TOKEN = 'x'.repeat(4096);

async function startUpstream(handler: RequestListener): Promise<string> {
  const server = createServer(handler).on('upgrade', ({ headers }: IncomingMessage, socket) => {
    const { connection, upgrade } = headers;
    socket.end(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n${connection} ${upgrade}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An upstream that answers with its name and what it was asked. */
function startEcho(name: string): Promise<string> {
  return startUpstream(({ url, headers }, response) =>
    response.end(JSON.stringify({ name, url, headers })),
  );
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

async function ask(nginx: StartedNginx, path: string, headers = {}): Promise<Answer> {
  const request = get(nginx.url + path, { ca: nginx.ca, headers });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode, body: await text(response) };
}

interface Asked {
  readonly name: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

async function asked(...args: Parameters<typeof ask>): Promise<Asked> {
  return JSON.parse((await ask(...args)).body) as Asked;
}

describe.skipIf(NGINX === undefined)('startNginx (needs nginx)', () => {
  it('has the edge at /client/ and the app everywhere else', async () => {
    await using nginx = await startNginx(await startEcho('edge'));
    expect((await ask(nginx, '/')).status).toBe(502);
    nginx.app.target = await startEcho('app');
    expect(await asked(nginx, '/client/?a=%20b')).toMatchObject({
      name: 'edge',
      url: '/client/?a=%20b',
    });
    for (const path of ['/', '/chat/negotiate?x', '/server/?hub=chat', '/api/health']) {
      expect(await asked(nginx, path)).toMatchObject({ name: 'app', url: path });
    }
  });

  it('says who asked for what, whatever the client says of that', async () => {
    await using nginx = await startNginx(await startEcho('edge'));
    const forged = { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-host': 'evil.example' };
    const { headers } = await asked(nginx, '/client/', { ...forged, 'x-forwarded-proto': 'ftp' });
    const { host, port } = new URL(nginx.url);
    expect(headers).toMatchObject({
      host,
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': host,
      'x-forwarded-port': port,
    });
    expect(headers.connection).toBeUndefined();
  });

  it('lets the longest token pass, and logs no token', async () => {
    await using nginx = await startNginx(await startEcho('edge'));
    const path = `/client/?hub=chat&access_token=${TOKEN}`;
    const headers = { cookie: 'c'.repeat(4096), authorization: `Bearer ${TOKEN}` };
    expect(await asked(nginx, path, headers)).toMatchObject({ url: path, headers });
    await expect.poll(() => nginx.accessLog()).toMatch(/ "GET \/client\/" 200 /);
    expect(nginx.accessLog() + nginx.output()).not.toContain('xxxx');
  });

  it('asks for upgrades as the client does', async () => {
    await using nginx = await startNginx(await startEcho('edge'));
    const headers = { connection: 'Upgrade', upgrade: 'websocket' };
    const request = get(`${nginx.url}/client/`, { ca: nginx.ca, headers });
    const [, socket, head] = (await once(request, 'upgrade')) as [IncomingMessage, Socket, Buffer];
    expect(head.toString() + (await text(socket))).toBe('upgrade websocket');
  });

  it('passes on what there is of an answer that goes on', async () => {
    const stream = await startUpstream((_request, response) => void response.write('so far'));
    await using nginx = await startNginx(stream);
    const request = get(`${nginx.url}/client/`, { ca: nginx.ca });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const [piece] = (await once(response, 'data')) as [Buffer];
    expect(piece.toString()).toBe('so far');
    response.destroy();
  });

  it('leaves nothing behind', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'trunkline-nothing-'));
    onTestFinished(() => rmSync(temporary, { recursive: true }));
    vi.stubEnv('TMPDIR', temporary);
    onTestFinished(() => void vi.unstubAllEnvs());
    const nginx = await startNginx('http://127.0.0.1:1');
    expect(readdirSync(temporary)).toHaveLength(1);
    expect(await nginx.stop()).toEqual({ code: 0, signal: null });
    expect(await nginx.stop()).toEqual({ code: 0, signal: null });
    expect(readdirSync(temporary)).toEqual([]);
    await expect(ask(nginx, '/')).rejects.toThrow('ECONNREFUSED');
  });
});
