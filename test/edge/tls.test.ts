import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FakeAppServer, startEdge } from '@trunkline/testing';
import { WebSocket } from 'ws';
import { afterAll, describe, expect, it } from 'vitest';

import { JSON_HANDSHAKE } from './support/hub-client.ts';
import { RawSocket } from './support/raw-socket.ts';
import { userToken } from './support/tokens.ts';

const openssl = spawnSync('openssl', ['version']).error === undefined;
const folder = mkdtempSync(join(tmpdir(), 'trunkline-tls-'));
const cert = join(folder, 'cert.pem');
const key = join(folder, 'key.pem');

afterAll(() => rmSync(folder, { recursive: true }));

/** A certificate for 127.0.0.1 that vouches for itself. */
function makeCertificate(): void {
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', key, '-out', cert, '-days', '1'];
  execFileSync('openssl', ['req', ...kind, ...files, ...subject], { stdio: 'ignore' });
}

describe.skipIf(!openssl)('TLS (needs openssl)', () => {
  it('carries clients and app servers', async () => {
    makeCertificate();
    const ca = readFileSync(cert);
    await using edge = await startEdge({ args: ['--tls-cert', cert, '--tls-key', key] });
    expect(edge.url).toMatch(/^https:/);
    const request = get(`${edge.url}/api/health`, { ca });
    const [health] = (await once(request, 'response')) as [IncomingMessage];
    expect(health.resume().statusCode).toBe(200);

    await using _server = await FakeAppServer.connect(edge.url, { ca });
    const client = new WebSocket(`${edge.url.replace(/^http/, 'ws')}/client/?hub=chat`, {
      ca,
      headers: { authorization: `Bearer ${userToken('chat', 'ann')}` },
    });
    await once(client, 'open');
    client.send(JSON_HANDSHAKE);
    expect(String((await once(client, 'message'))[0])).toBe('{}\x1e');
    const large = 'x'.repeat(1024 * 1024);
    const call = { type: 1, invocationId: '1', target: 'echo', arguments: [large] };
    client.send(`${JSON.stringify(call)}\x1e`);
    const [answer] = await once(client, 'message');
    expect(String(answer)).toContain(large);
    client.close();
    await once(client, 'close');
  });

  it('ends who does not speak it', async () => {
    makeCertificate();
    await using edge = await startEdge({ args: ['--tls-cert', cert, '--tls-key', key] });
    using socket = new RawSocket(edge.url);
    socket.request('GET', '/api/health');
    await socket.ended;
    expect(socket.text).not.toContain('HTTP/1.1 200');
    const request = get(`${edge.url}/api/health`, { ca: readFileSync(cert) });
    const [health] = (await once(request, 'response')) as [IncomingMessage];
    expect(health.resume().statusCode).toBe(200);
  });
});
