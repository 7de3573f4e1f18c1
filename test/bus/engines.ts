import { setTimeout as sleep } from 'node:timers/promises';

import {
  type BusEngine,
  type BusEngineOptions,
  type EdgeOptions,
  NATS,
  owning,
  REDIS,
  startEdge,
  type StartedEdge,
  startNats,
  startRedis,
} from '@trunkline/testing';

import { metric } from '../edge/support/metrics.ts';

/** A kind of bus engine. */
export interface Engine {
  readonly name: string;
  /** With what a machine must have for it. */
  readonly label: string;
  /** Whether this machine has it. */
  readonly isHere: boolean;
  readonly scheme: string;
  /** A line of its configuration by which it wants the password `hunter2`. */
  readonly login: string;
  start(options?: BusEngineOptions): Promise<BusEngine>;
}

export const NATS_ENGINE: Engine = {
  name: 'NATS',
  label: 'NATS (needs nats-server)',
  isHere: NATS !== undefined,
  scheme: 'nats',
  login: 'authorization { token: hunter2 }',
  start: startNats,
};
export const REDIS_ENGINE: Engine = {
  name: 'Redis',
  label: 'Redis (needs redis-server)',
  isHere: REDIS !== undefined,
  scheme: 'redis',
  login: 'requirepass hunter2',
  start: startRedis,
};
export const ENGINES: readonly Engine[] = [NATS_ENGINE, REDIS_ENGINE];

/** Edges that are one service, and the engine that joins them. */
export interface Cluster extends AsyncDisposable {
  readonly edges: readonly StartedEdge[];
  readonly engine: BusEngine;
}

/** Resolves when every edge knows of all. `options`: of each edge. */
export async function startCluster(
  engine: Engine,
  size: number,
  options: EdgeOptions = {},
): Promise<Cluster> {
  return owning(async (own) => {
    const bus = own(await engine.start());
    const args = ['--bus', `${engine.scheme}://${bus.host}`, ...(options.args ?? [])];
    const start = async (): Promise<StartedEdge> => own(await startEdge({ ...options, args }));
    const edges = await Promise.all(Array.from({ length: size }, start));
    for (const edge of edges) await knows(edge, size);
    return { edges, engine: bus };
  });
}

const KNOWN_MS = 10_000;
const LOOK_AGAIN_MS = 50;

/** Waits until an edge knows of so many, itself included. */
export async function knows(edge: StartedEdge, members: number): Promise<void> {
  const until = performance.now() + KNOWN_MS;
  for (;;) {
    const known = await metric(edge, 'trunkline_cluster_members');
    if (known === members) return;
    if (performance.now() > until) {
      throw new Error(`${edge.url} knows of ${known} edges, not ${members}`);
    }
    await sleep(LOOK_AGAIN_MS);
  }
}
