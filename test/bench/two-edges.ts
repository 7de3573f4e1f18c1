import { NATS_ENGINE, startCluster } from '../bus/engines.ts';
import type { Processes } from './cost.ts';
import { SETTLE_ARGS } from './process-usage.ts';
import { startAll, startApp, type Stoppable } from './side.ts';

/** Two edges on NATS. */
export interface TwoEdges extends Stoppable {
  readonly urls: readonly string[];
  /** `near`: the edge that the app server has dialled. */
  readonly processes: Processes<'near' | 'far' | 'app'>;
}

/** An app server that echoes has dialled the first of them. */
export const startEchoEdges = (): Promise<TwoEdges> =>
  startAll(async (started) => {
    const cluster = await startCluster(NATS_ENGINE, 2, { nodeArgs: SETTLE_ARGS });
    started({ stop: async () => cluster[Symbol.asyncDispose]() });
    const [near, far] = cluster.edges;
    const app = started(await startApp(near!.url, 'echo'));
    return {
      urls: cluster.edges.map(({ url }) => url),
      processes: { near: [near!.pid], far: [far!.pid], app: [app.pid] },
    };
  });
