import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { EDGE_ENVIRONMENT } from '@trunkline/foundation';
import type { Running } from '@trunkline/foundation';
import { SettingsError } from '@trunkline/settings';
import { createLogger } from '@trunkline/telemetry';
import type { Logger } from '@trunkline/telemetry';
import { listenForAdmin } from '../admin/listen-for-admin.ts';
import type { EdgeConfig } from '../config.ts';
import { localUrl } from '../local-url.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import { VERSION } from '../version.ts';
import { ask } from './ask.ts';
import { KeptEdge } from './kept-edge.ts';
import { Liveness } from './liveness.ts';
import { createParentApp } from './parent-app.ts';
import { publicPort } from './public-port.ts';

/** Beyond its drain an edge takes four seconds to stop, at most: one that takes so long hangs. */
const HUNG_MS = 10_000;
const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));

/** Several edges on one public port, each in a process of its own. */
export interface Parent extends Running {
  /** Where clients and app servers reach them. */
  readonly url: string;
}

/** Starts the edges and one admin port for all; says in the log when all edges listen. */
export async function startParent(config: EdgeConfig, argv: readonly string[]): Promise<Parent> {
  const log = createLogger({ name: 'edge', level: config.logLevel, version: VERSION });
  const port = await publicPort(config.host, config.port);
  const url = config.publicUrl ?? localUrl(config.tls ? 'https' : 'http', config.host, port);
  const ids = Array.from(
    { length: config.processes },
    (_, index) => `${config.edgeId}-${index + 1}`,
  );
  const { edges, failed } = keepEdges(ids, (id) => forkEdge(id, port, argv), log);
  const admin = createParentApp(edges);
  const adminUrl = await listenForAdmin(admin, config);
  for (const edge of edges) edge.start();
  void Promise.all(edges.map(({ listening }) => listening)).then(() =>
    log.info({ url, admin: adminUrl, edges: ids }, 'edges listening'),
  );
  const liveness = new Liveness({ edges, ask, time: SYSTEM_TIME, log });
  const endEdges = passOnSignals(edges, config.drainMs);
  const stop = async (why: string): Promise<void> => {
    log.info({ why }, 'edges stop');
    liveness.stop();
    // The signal says how much time there is; where there was none, it is no time to wait.
    endEdges(why === 'SIGTERM' ? why : 'SIGINT');
    await Promise.all(edges.map(({ ended }) => ended));
    await admin.close();
  };
  return { url, failed, stop, drainMs: config.drainMs + HUNG_MS };
}

/** `failed` rejects when an edge says that it cannot go on as things are. */
function keepEdges(
  ids: readonly string[],
  start: (id: string) => ChildProcess,
  log: Logger,
): { edges: readonly KeptEdge[]; failed: Promise<never> } {
  let refused: (why: string) => void = () => {};
  const failed = new Promise<never>((_resolve, reject) => {
    refused = (why) => reject(new SettingsError(why));
  });
  const edges = ids.map(
    (id) => new KeptEdge({ id, fork: () => start(id), refused, time: SYSTEM_TIME, log }),
  );
  return { edges, failed };
}

/**
 * Passes signals on to the edges, to which they mean what they mean to one. The first signal to stop is the
 * stop's business, which has them end by what is answered here.
 */
function passOnSignals(
  edges: readonly KeptEdge[],
  drainMs: number,
): (signal: 'SIGTERM' | 'SIGINT') => void {
  let isEnding = false;
  const end = (signal: 'SIGTERM' | 'SIGINT'): void => {
    isEnding = true;
    const withinMs = HUNG_MS + (signal === 'SIGTERM' ? drainMs : 0);
    for (const edge of edges) edge.stop(signal, withinMs);
  };
  process.on('SIGHUP', (signal) => {
    for (const edge of edges) edge.signal(signal);
  });
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => isEnding && end(name));
  return end;
}

/**
 * The terminal's Ctrl-C is for the parent alone, so each edge has a process group of its own. One whose
 * parent is killed notices by the end of the channel between them.
 */
function forkEdge(id: string, port: number, argv: readonly string[]): ChildProcess {
  return fork(CHILD, [id, `${port}`, ...argv], {
    env: { ...EDGE_ENVIRONMENT, ...process.env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
}
