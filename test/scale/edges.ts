import { LoadGenerator, owning, type StartedEdge } from '@trunkline/testing';

import { SETTLE_ARGS } from '../bench/process-usage.ts';
import { type SendingApp, startSendingApp } from '../bench/sending.ts';
import { newTokens } from '../bench/tokens.ts';
import { NATS_ENGINE, startCluster } from '../bus/engines.ts';

const CONCURRENCY = 64;
/** For all clients of an edge. */
const CONNECT_TIMEOUT_MS = 300_000;

/** Edges that are one service, and the clients of each. */
export interface Scene {
  readonly edges: readonly StartedEdge[];
  /** At the first edge: it sends. */
  readonly sender: SendingApp;
  readonly loads: readonly LoadGenerator[];
  /** How many clients there are at each of `loads`. */
  readonly counts: readonly number[];
  /** Connects so many clients to an edge; each has heard from the hub then. */
  connect(edge: number, clients: number): Promise<void>;
}

/** An app server at each edge, and a load generator, both in processes of their own. */
export function startEdges(count: number): Promise<Scene & AsyncDisposable> {
  return owning(async (own) => {
    const { edges } = own(await startCluster(NATS_ENGINE, count, { nodeArgs: SETTLE_ARGS }));
    const apps = await Promise.all(edges.map(async ({ url }) => own(await startSendingApp(url))));
    const loads = await Promise.all(edges.map(({ url }) => LoadGenerator.start(url)));
    own({
      async [Symbol.asyncDispose]() {
        await Promise.all(loads.map((load) => load.stop()));
      },
    });
    const counts = loads.map(() => 0);
    return {
      edges,
      sender: apps[0]!,
      loads,
      counts,
      connect: async (edge, clients) => {
        const newcomers = { tokens: newTokens(clients), concurrency: CONCURRENCY };
        await loads[edge]!.do('connect', newcomers, CONNECT_TIMEOUT_MS);
        await loads[edge]!.do('hear', { messages: clients }, CONNECT_TIMEOUT_MS);
        counts[edge]! += clients;
      },
    };
  });
}
