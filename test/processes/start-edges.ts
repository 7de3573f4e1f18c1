import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { EDGE_ENVIRONMENT } from '@trunkline/foundation';
import { startProcess, type StartedEdge } from '@trunkline/testing';

import { EDGE_MAIN } from '../edge/support/run-edge.ts';
import { scrape } from '../edge/support/metrics.ts';

const KNOWN_MS = 20_000;
const LOOK_AGAIN_MS = 50;

/** Starts a parent of edges `e-1`, `e-2` and so on; resolves when each knows of all. */
export async function startEdges(
  processes: number,
  bus: string,
  args: readonly string[] = [],
): Promise<StartedEdge> {
  const own = ['--processes', `${processes}`, '--edge-id', 'e', '--bus', bus];
  const flags = ['--dev', '--port', '0', '--admin-port', '0', ...own, ...args];
  const started = await startProcess(process.execPath, [EDGE_MAIN, ...flags], {
    name: 'edges',
    env: { ...EDGE_ENVIRONMENT },
    ready: listening,
  });
  const edges = { ...started, ...started.ready };
  for (let edge = 1; edge <= processes; edge++) await knows(edges, `e-${edge}`, processes);
  return edges;
}

function listening(line: string): { url: string; adminUrl: string } | undefined {
  if (!line.includes('"edges listening"')) return undefined;
  const { url, admin } = JSON.parse(line) as { url: string; admin: string };
  return { url, adminUrl: admin };
}

/** Waits until an edge answers, and knows of so many, itself included. */
export async function knows(edges: StartedEdge, edge: string, members: number): Promise<void> {
  const until = performance.now() + KNOWN_MS;
  for (;;) {
    // An edge that is just starting has no such series.
    const known = await value(edges, 'trunkline_cluster_members', edge).catch(() => undefined);
    if (known === members) return;
    if (performance.now() > until)
      throw new Error(`${edge} knows of ${known} edges, not ${members}`);
    await sleep(LOOK_AGAIN_MS);
  }
}

/** One value of an edge; undefined where it does not answer. */
export async function value(
  edges: StartedEdge,
  name: string,
  edge: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number | undefined> {
  const metrics = await scrape(edges);
  if (metrics.value('trunkline_edge_up', { edge }) === 0) return undefined;
  return metrics.value(name, { ...labels, edge });
}

/** The processes of a parent's edges, by their ids. */
export function processesOf(parent: number): ReadonlyMap<string, number> {
  const pids = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ');
  return new Map(pids.map((pid) => [commandOf(pid)[2]!, Number(pid)]));
}

/** `node child.js <edge id> ...` */
function commandOf(pid: string): string[] {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
}
