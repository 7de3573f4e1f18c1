import { startProcess } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { fileURLToPath } from 'node:url';

import { NATS_ENGINE, startCluster } from '../bus/engines.ts';
import type { Processes } from './cost.ts';
import { SETTLE_ARGS } from './process-usage.ts';
import { startAll, type Stoppable } from './side.ts';

const APP = fileURLToPath(new URL('./app-server.ts', import.meta.url));

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
    const app = started(
      await startProcess(process.execPath, [APP, '--echo'], {
        name: 'app server',
        env: {
          TRUNKLINE_CONNECTION_STRING: formatConnectionString(near!.url, DEVELOPMENT_ACCESS_KEY),
        },
        ready: (line) => line === 'app server ready',
      }),
    );
    return {
      urls: cluster.edges.map(({ url }) => url),
      processes: { near: [near!.pid], far: [far!.pid], app: [app.pid] },
    };
  });
