import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  type BusEngine,
  freeze,
  NATS,
  startEdge,
  type StartedEdge,
  startNats,
} from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

import { checkMetrics, HAS_PROMTOOL, scrape } from '../edge/support/metrics.ts';
import { runEdge } from '../edge/support/run-edge.ts';
import { userToken } from '../edge/support/tokens.ts';
import { isAlive } from '../start/npm-start.ts';
import { knows, processesOf, startEdges, value } from './start-edges.ts';

const IDS = ['e-1', 'e-2'];
const WS_CLIENTS = { hub: 'chat', transport: 'webSockets' };

let nats: BusEngine;
let bus: string;

beforeAll(async () => {
  if (NATS === undefined) return;
  nats = await startNats();
  bus = `nats://${nats.host}`;
});
afterAll(() => nats?.stop());

/** A client that says nothing, for which no app server is there. */
function silentClient(edges: StartedEdge): Promise<WebSocket> {
  const url = `${edges.url.replace('http', 'ws')}/client/?hub=chat`;
  const authorization = `Bearer ${userToken('chat', undefined)}`;
  const socket = new WebSocket(url, { headers: { authorization } });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Clients, so many that each edge has one. */
async function clientsOfAll(edges: StartedEdge): Promise<WebSocket[]> {
  const sockets: WebSocket[] = [];
  do sockets.push(await silentClient(edges));
  while ((await clientsOf(edges, 'e-1')) === 0 || (await clientsOf(edges, 'e-2')) === 0);
  return sockets;
}

async function clientsOf(edges: StartedEdge, edge: string): Promise<number> {
  const metrics = await scrape(edges);
  const series = `trunkline_client_connections{edge="${edge}",hub="chat",transport="webSockets"} `;
  return metrics.text.includes(series)
    ? metrics.value('trunkline_client_connections', { ...WS_CLIENTS, edge })
    : 0;
}

/** Lines of an edge's own log. */
function said(edges: StartedEdge, edge: string, what: string): string[] {
  const lines = edges.output().split('\n');
  return lines.filter((line) => line.includes(`"edgeId":"${edge}"`) && line.includes(what));
}

function killAll(pids: Iterable<number>): void {
  for (const pid of [...pids].filter(isAlive)) process.kill(pid, 'SIGKILL');
}

describe.skipIf(NATS === undefined)('--processes (needs nats-server)', () => {
  it('shares a port among edges: one that is killed comes back while the others serve, and all end with the parent', async () => {
    await using edges = await startEdges(2, bus, ['--server-wait', '300']);
    const sockets = await clientsOfAll(edges);
    const there = await Promise.all(IDS.map((edge) => clientsOf(edges, edge)));
    expect(there[0]! + there[1]!).toBe(sockets.length);

    const before = processesOf(edges.pid);
    process.kill(before.get('e-1')!, 'SIGKILL');
    await expect
      .poll(() => said(edges, 'e-1', '"edge has ended: starting it again"'))
      .toHaveLength(1);
    await knows(edges, 'e-1', 2);
    await knows(edges, 'e-2', 2);

    const open = sockets.filter(({ readyState }) => readyState === WebSocket.OPEN);
    expect(open).toHaveLength(there[1]!);
    expect(await clientsOf(edges, 'e-2')).toBe(there[1]);
    const after = processesOf(edges.pid);
    expect(after.get('e-1')).not.toBe(before.get('e-1'));
    expect(after.get('e-2')).toBe(before.get('e-2'));
    expect(await value(edges, 'trunkline_edge_restarts_total', 'e-1')).toBe(1);
    expect(await value(edges, 'trunkline_edge_restarts_total', 'e-2')).toBe(0);
    // It has its part of the port again.
    sockets.push(...(await clientsOfAll(edges)));

    const pids = [...after.values()];
    onTestFinished(() => killAll(pids));
    edges.child.kill('SIGKILL');
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
    for (const socket of sockets) socket.terminate();
  });

  it('has one admin port for all edges, keeps their port to them, and passes signals on', async () => {
    await using edges = await startEdges(2, bus);
    const status = async (path: string, init: RequestInit = {}): Promise<number> =>
      (await fetch(`${edges.adminUrl}${path}`, init)).status;
    await expect.poll(() => status('/ready')).toBe(200);
    expect(await status('/live')).toBe(200);
    const told = await fetch(`${edges.adminUrl}/admin/nothing`, { method: 'POST' });
    expect(told.status).toBe(404);
    expect(await told.json()).toMatchObject({
      edges: { 'e-1': { status: 404 }, 'e-2': { status: 404 } },
    });
    // Whoever else shares a port does not get this one.
    const { port } = new URL(edges.url);
    const flags = ['--dev', '--admin-port', '0', '--processes', '2', '--bus', bus];
    const second = await runEdge([...flags, '--port', port]);
    expect(second.stderr).toContain(`cannot listen on 127.0.0.1 port ${port}: it is in use`);
    expect(second.stderr.split('\n')).toHaveLength(2);
    expect(second.code).toBe(1);

    edges.child.kill('SIGHUP');
    for (const edge of IDS) {
      await expect.poll(() => said(edges, edge, '"access keys read again"')).toHaveLength(1);
    }
    expect(await edges.stop()).toEqual({ code: 0, signal: null });
    for (const edge of IDS) expect(said(edges, edge, '"edge stops"')).toHaveLength(1);
  });

  it.skipIf(!HAS_PROMTOOL)(
    'has metrics of all edges that pass promtool check metrics (needs promtool)',
    async () => {
      await using edges = await startEdges(2, bus);
      const { text } = await scrape(edges);
      for (const edge of IDS) expect(text).toContain(`edge="${edge}"`);
      expect(checkMetrics(text)).toEqual({ status: 0, output: '' });
    },
  );

  it.concurrent('kills an edge that is frozen, and starts it again, while the others are ready', async ({
    expect,
    onTestFinished,
  }) => {
    await using edges = await startEdges(2, bus);
    const before = processesOf(edges.pid);
    onTestFinished(() => killAll(before.values()));
    await freeze(before.get('e-1')!);
    const ready: number[] = [];
    const killed = async (): Promise<string[]> => {
      ready.push((await fetch(`${edges.adminUrl}/ready`)).status);
      return said(edges, 'e-1', '"edge does not answer: killing it"');
    };
    await expect.poll(killed, { timeout: 40_000, interval: 100 }).toHaveLength(1);
    expect(new Set(ready)).toEqual(new Set([200]));
    // Whoever waits for the frozen one, two seconds each time, has heard six times by now.
    expect(ready.length).toBeGreaterThan(20);

    await knows(edges, 'e-1', 2);
    const after = processesOf(edges.pid);
    expect(after.get('e-1')).not.toBe(before.get('e-1'));
    expect(after.get('e-2')).toBe(before.get('e-2'));
    expect(await value(edges, 'trunkline_edge_restarts_total', 'e-1')).toBe(1);
  });

  it.concurrent('ends though an edge is frozen', async ({ expect, onTestFinished }) => {
    await using edges = await startEdges(2, bus, ['--cluster', 'other', '--drain-timeout', '0']);
    const pids = processesOf(edges.pid);
    onTestFinished(() => killAll(pids.values()));
    await freeze(pids.get('e-1')!);
    edges.child.kill('SIGTERM');
    expect(await edges.exited).toEqual({ code: 0, signal: null });
    expect(said(edges, 'e-1', '"edge does not end: killing it"')).toHaveLength(1);
    expect(said(edges, 'e-2', '"edge stops"')).toHaveLength(1);
    expect([...pids.values()].filter(isAlive)).toEqual([]);
  });

  it('ends with the line of an edge that cannot start', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-processes-'));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    writeFileSync(cert, 'no certificate');
    writeFileSync(key, 'no key');
    const flags = ['--dev', '--port', '0', '--admin-port', '0', '--processes', '2', '--bus', bus];
    const { code, stderr } = await runEdge([...flags, '--tls-cert', cert, '--tls-key', key]);
    rmSync(folder, { recursive: true });
    expect(stderr.split('\n').filter((line) => line.startsWith('trunkline-edge:'))).toEqual([
      `trunkline-edge: cannot serve TLS with ${cert} and ${key}: give a PEM certificate and the key it was made for`,
    ]);
    expect(code).toBe(1);
  });

  it('ends with the line of an edge whose id another one has', async () => {
    await using other = await startEdge({ args: ['--edge-id', 'e-2', '--bus', bus] });
    await expect.poll(() => other.output()).toContain('"bus joined"');
    const flags = ['--dev', '--port', '0', '--admin-port', '0', '--edge-id', 'e', '--bus', bus];
    const { code, stdout, stderr } = await runEdge([...flags, '--processes', '2']);
    expect(stderr).toMatch(/^trunkline-edge: .*e-2/m);
    expect(stdout).toContain('"edges stop"');
    expect(code).toBe(1);
  });
});
