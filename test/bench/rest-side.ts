import { startEdge } from '@trunkline/testing';

import { type Crowd, startCrowds } from './cluster-side.ts';
import { SETTLE_ARGS } from './process-usage.ts';
import { type RestCaller, startRestCaller } from './rest-caller.ts';
import { type SendingApp, startSendingApp } from './sending.ts';
import { startAll, type Stoppable } from './side.ts';

/** An edge with an app server, a caller of the REST API, and clients that are all in `group-0`. */
export interface RestSide extends Stoppable {
  readonly edgePid: number;
  readonly app: SendingApp;
  readonly caller: RestCaller;
  readonly crowd: Crowd;
}

export const startRestSide = (clients: number): Promise<RestSide> =>
  startAll(async (started) => {
    const edge = started(await startEdge({ nodeArgs: SETTLE_ARGS }));
    const memberships = { groups: 1, members: clients, clients };
    const app = started(await startSendingApp(edge.url, memberships));
    const caller = started(await startRestCaller(edge.url));
    const [crowd] = await startCrowds([edge.url], [clients], started);
    return { edgePid: edge.pid, app, caller, crowd: crowd! };
  });
