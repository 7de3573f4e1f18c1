import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:https';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { BlockList } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';

import { makeCertificate } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { UpstreamOutcome } from '../../services/edge/src/ports/upstream-http.ts';
import type { UpstreamHttpOptions } from '../../services/edge/src/upstream-http/undici-http.ts';
import { UndiciHttp } from '../../services/edge/src/upstream-http/undici-http.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe.skipIf(!hasOpenssl)('an upstream with TLS (needs openssl)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-upstream-tls-'));
  let ca: string;
  let cert: string;
  let key: string;
  let server: Server;
  let port: number;

  beforeAll(async () => {
    ca = await makeCertificate(folder);
    cert = readFileSync(join(folder, 'cert.pem'), 'utf8');
    key = readFileSync(join(folder, 'key.pem'), 'utf8');
    server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false });
    server.on('request', (request, response) => {
      response.end((request.socket as Socket as TLSSocket).authorized ? 'known' : 'unknown');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });

  afterAll(() => {
    server?.closeAllConnections();
    server?.close();
    rmSync(folder, { recursive: true });
  });

  async function call(options: Partial<UpstreamHttpOptions>, host = 'localhost'): Promise<string> {
    const allow = new BlockList();
    allow.addAddress('127.0.0.1');
    const none = { ca: undefined, cert: undefined, key: undefined, proxy: undefined };
    const http = new UndiciHttp({ allow, connections: 1, ...none, ...options });
    const request = { path: '/', headers: {}, body: Buffer.from('{}') };
    const outcome = await new Promise<UpstreamOutcome>((resolve) => {
      http.post({ origin: `https://${host}:${port}`, ...request }, () => true, resolve);
    });
    await http.close();
    if (outcome.kind === 'answer') return Buffer.from(outcome.body).toString();
    return 'message' in outcome ? outcome.message : outcome.kind;
  }

  it('is trusted for the authority that is given, and for no other', async () => {
    expect(await call({ ca })).toBe('unknown');
    expect(await call({})).toMatch(/certificate/);
  });

  it('knows the edge by its certificate', async () => {
    expect(await call({ ca, cert, key })).toBe('known');
  });

  it('is called by the name that its certificate has', async () => {
    expect(await call({ ca }, '127.0.0.1')).toBe('unknown');
  });
});
