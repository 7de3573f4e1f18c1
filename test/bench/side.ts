import { fileURLToPath } from 'node:url';

import {
  type EdgeOptions,
  LoadGenerator,
  startEdge,
  type StartedEdge,
  startProcess,
  type StartedProcess,
} from '@trunkline/testing';

import type { Cost, Processes } from './cost.ts';
import { SETTLE_ARGS } from './process-usage.ts';
import { ACCESS_KEY } from './tokens.ts';

/** A server under load, with its load generator. */
export interface Side {
  readonly load: LoadGenerator;
  /** The edge, or the bare server. */
  readonly serverPid: number;
  /** All that take part, the app server behind the edge too. */
  readonly processes: Processes<keyof Cost>;
  stop(): Promise<unknown>;
}

/** The edge's, whose metrics can be read. */
export interface EdgeSide extends Side {
  readonly edge: StartedEdge;
}

/** What the server is for; the edge leaves that to its app server. */
export type Work = 'echo' | 'publish' | 'storm';

/** Starts one side, for one row of the table. */
export type StartSide = (work: Work) => Promise<Side>;

export interface Stoppable {
  stop(): Promise<unknown>;
}

/** An edge with one app server. `options`: of the edge. */
export const startEdgeSide = (work: Work, options: EdgeOptions = {}): Promise<EdgeSide> =>
  startAll(async (started) => {
    const edge = started(await startEdge({ nodeArgs: SETTLE_ARGS, ...options }));
    const app = started(await startApp(edge.url, work));
    const load = started(await LoadGenerator.start(edge.url));
    const processes = { server: [edge.pid], app: [app.pid], load: [load.pid] };
    return { load, serverPid: edge.pid, processes, edge };
  });

/** The app server, at an edge. */
export const startApp = (edgeUrl: string, work: Work): Promise<StartedProcess<true>> =>
  startProcess(process.execPath, [path('app-server.ts'), `--${work}`], {
    name: 'app server',
    env: {
      TRUNKLINE_CONNECTION_STRING: `Endpoint=${edgeUrl};AccessKey=${ACCESS_KEY};Version=1.0;`,
    },
    ready: (line) => line === 'app server ready',
  });

/** A bare uWebSockets.js server. */
export const startBareSide: StartSide = (work) =>
  startAll(async (started) => {
    const args = [...SETTLE_ARGS, path('bare-server.ts'), `--${work}`];
    const server = started(
      await startProcess(process.execPath, args, {
        name: 'bare server',
        ready: (line) => /^listening on (.+)$/.exec(line)?.[1],
      }),
    );
    const load = started(await LoadGenerator.start(server.ready));
    const processes = { server: [server.pid], app: [], load: [load.pid] };
    return { load, serverPid: server.pid, processes };
  });

/** A `ws` server that speaks JSON: server and app server in one. */
export const startJsonSide: StartSide = () =>
  startAll(async (started) => {
    const server = started(
      await startProcess(process.execPath, [path('json-server.ts')], {
        name: 'JSON server',
        ready: (line) => /^listening on (.+)$/.exec(line)?.[1],
      }),
    );
    const load = started(await LoadGenerator.start(server.ready));
    const processes = { server: [server.pid], app: [server.pid], load: [load.pid] };
    return { load, serverPid: server.pid, processes };
  });

/** Starts parts one after the other; stops them backwards, at once when one does not start. */
export async function startAll<Parts>(
  start: (started: <Part extends Stoppable>(part: Part) => Part) => Promise<Parts>,
): Promise<Parts & Stoppable> {
  const parts: Stoppable[] = [];
  const stop = async (): Promise<void> => {
    for (const part of parts.toReversed()) await part.stop();
  };
  try {
    const side = await start((part) => {
      parts.push(part);
      return part;
    });
    return { ...side, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function path(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
