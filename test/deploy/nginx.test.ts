import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort, NGINX, startEdge, type StartedEdge, startProcess } from '@trunkline/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';

import { scrape } from '../edge/support/metrics.ts';
import { userToken } from '../edge/support/tokens.ts';
import { readCompose, readText } from './deploy-files.ts';

const CONFIG = readText('deploy/nginx/nginx.conf');
const { services } = readCompose();
const edges = Object.entries(services).filter(([, { build }]) => build?.target === 'edge');
const addressOf = (name: string): string => services[name]!.networks!.default.ipv4_address;

test('nginx passes to every edge, and to nobody else', () => {
  const upstream = [...CONFIG.matchAll(/^ +server (\S+):8080; # (\S+)$/gm)];
  expect(upstream.map(([, address, name]) => [name, address])).toEqual(
    edges.map(([name]) => [name, addressOf(name)]),
  );
  expect(edges).toHaveLength(2);
});

test('each edge has an id of its own, and believes nginx', () => {
  for (const [name, { environment }] of edges) {
    expect(environment).toMatchObject({
      TRUNKLINE_EDGE_ID: name,
      TRUNKLINE_TRUSTED_PROXIES: addressOf('nginx'),
    });
  }
});

test('nobody is pinned to an edge', () => {
  expect(CONFIG).not.toMatch(/ip_hash|sticky|\bhash\b|cookie/);
});

/** nginx with the configuration of the Compose file, in front of two edges of this machine. */
async function startNginx(first: StartedEdge, second: StartedEdge) {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-compose-nginx-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const log = join(folder, 'access.log');
  const [clients, inside] = [await freePort(), await freePort()];
  const replacements = [
    ['listen 8080', `listen 127.0.0.1:${clients}`],
    ['listen 8090', `listen 127.0.0.1:${inside}`],
    ['10.231.0.11:8080', new URL(first.url).host],
    ['10.231.0.12:8080', new URL(second.url).host],
    ['/tmp/', `${folder}/`],
    // What a process that this one starts cannot open.
    ['/dev/stdout', log],
    ['1048576', '4096'],
    ['65536', '1024'],
  ] as const;
  let config = CONFIG;
  for (const [from, to] of replacements) {
    expect(config).toContain(from);
    config = config.replaceAll(from, () => to);
  }
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, config);
  const args = ['-e', 'stderr', '-p', folder, '-c', file];
  const { stderr, status } = spawnSync(NGINX!, ['-t', ...args], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: expect.stringContaining('test is successful'),
  });
  const nginx = await startProcess(
    NGINX!,
    [...args, '-g', 'daemon off; error_log stderr notice;'],
    {
      name: 'nginx',
      ready: (line) => line.includes('start worker process '),
    },
  );
  return {
    nginx,
    clients: `http://127.0.0.1:${clients}`,
    inside: `http://127.0.0.1:${inside}`,
    log: () => readFileSync(log, 'utf8'),
  };
}

async function connect(url: string): Promise<WebSocket> {
  const authorization = `Bearer ${userToken('chat', undefined)}`;
  const path = `${url.replace('http', 'ws')}/client/?hub=chat`;
  const socket = new WebSocket(path, { headers: { authorization } });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

const clientsOf = async (edge: StartedEdge): Promise<number> => {
  const labels = { hub: 'chat', transport: 'webSockets' };
  return (await scrape(edge)).value('trunkline_client_connections', labels);
};

describe.skipIf(NGINX === undefined)('nginx in front of two edges (needs nginx)', () => {
  test('shares clients out, keeps app servers inside, and goes on with one edge', async () => {
    const args = ['--server-wait', '300', '--trusted-proxies', '127.0.0.1'];
    await using first = await startEdge({ args });
    await using second = await startEdge({ args });
    const { nginx: running, clients, inside, log } = await startNginx(first, second);
    await using _running = running;
    const sockets = await Promise.all(Array.from({ length: 20 }, () => connect(clients)));
    const shares = [await clientsOf(first), await clientsOf(second)];
    expect(shares[0]! + shares[1]!).toBe(20);
    expect(Math.min(...shares)).toBeGreaterThan(0);

    const status = async (url: string): Promise<number> => (await fetch(url)).status;
    for (const path of ['/api/health', '/server/?hub=chat', '/metrics']) {
      expect(await status(`${clients}${path}`)).toBe(404);
    }
    expect(await status(`${inside}/api/health`)).toBe(200);
    expect(await status(`${inside}/server/?hub=chat`)).toBe(
      await status(`${first.url}/server/?hub=chat`),
    );

    await first.stop();
    sockets.push(...(await Promise.all(Array.from({ length: 6 }, () => connect(clients)))));
    expect(await clientsOf(second)).toBe(shares[1]! + 6);
    expect(await status(`${clients}/client/?access_token=secret`)).toBe(400);
    await expect.poll(log).toContain('"GET /client/" 400');
    expect(log()).not.toContain('secret');
    for (const socket of sockets) socket.terminate();
  });
});
