import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  DotnetManager,
  type DotnetStandIn,
  owning,
  startDotnetStandIn,
  startEdge,
  type StartedEdge,
} from '@trunkline/testing';

import { NATS_ENGINE, startCluster } from '../../bus/engines.ts';

/** What serves the clients of hub `main`: a .NET app at the first edge, or the edges themselves. */
export type ServedBy = 'an app server' | 'the edge';

export interface ManagementPlan {
  readonly edges: 1 | 2;
  /** What the config file says of hubs. */
  readonly hubs: Readonly<Record<string, object>>;
}

/** One edge, or two on NATS. */
export interface ManagementScene extends AsyncDisposable {
  readonly edges: readonly StartedEdge[];
  /** Where clients are that are at another edge than managers, where there are two. */
  readonly first: StartedEdge;
  /** Where managers are. */
  readonly last: StartedEdge;
  /** At the first edge; of hub `main` and others. */
  startApp(): Promise<DotnetStandIn>;
  /** A weak connection of the hub at the last edge. */
  manage(hub: string): Promise<DotnetManager>;
}

/** Both kinds, on one edge and on two. `lacks`: what this machine has not got for it. */
export const ARRANGEMENTS = ([1, 2] as const).flatMap((edges) =>
  (['an app server', 'the edge'] as const).map((by) => ({
    edges,
    by,
    name: `${edges === 1 ? 'one edge' : 'two edges (needs nats-server)'}, clients served by ${by}`,
    lacks: edges === 2 && !NATS_ENGINE.isHere,
  })),
);

/** What is started here ends with the scene, backwards. */
export function startScene({ edges: count, hubs }: ManagementPlan): Promise<ManagementScene> {
  return owning(async (own) => {
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-management-'));
    own({ [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }) });
    const config = join(folder, 'edge.json');
    writeFileSync(config, JSON.stringify({ hubs, serverWait: 1 }));
    const options = { args: ['--config', config] };
    const edges =
      count === 1
        ? [own(await startEdge(options))]
        : own(await startCluster(NATS_ENGINE, count, options)).edges;
    const [first, last] = [edges[0]!, edges.at(-1)!];
    return {
      edges,
      first,
      last,
      startApp: async () => own(await startDotnetStandIn({ edgeUrl: first.url, connections: 2 })),
      manage: async (hub) => own(await DotnetManager.connect(last.url, hub)),
    };
  });
}
