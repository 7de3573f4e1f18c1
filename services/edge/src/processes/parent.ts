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
import { VERSION } from '../version.ts';
import { KeptEdge } from './kept-edge.ts';
import { createParentApp } from './parent-app.ts';
import { publicPort } from './public-port.ts';

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
  let isStopping = false;
  passOnSignals(edges, () => isStopping);
  const stop = async (why: string): Promise<void> => {
    isStopping = true;
    log.info({ why }, 'edges stop');
    // The signal says how much time there is; where there was none, it is no time to wait.
    for (const edge of edges) edge.stop(why === 'SIGTERM' ? why : 'SIGINT');
    await Promise.all(edges.map(({ ended }) => ended));
    await admin.close();
  };
  // How long they may take the edges know themselves.
  return { url, failed, stop, drainMs: Infinity };
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
  const edges = ids.map((id) => new KeptEdge({ id, fork: () => start(id), refused, log }));
  return { edges, failed };
}

/** The first signal to stop is the stop's business; others mean to the edges what they mean to one. */
function passOnSignals(edges: readonly KeptEdge[], isStopping: () => boolean): void {
  const passOn = (signal: NodeJS.Signals): void => {
    for (const edge of edges) edge.signal(signal);
  };
  process.on('SIGHUP', passOn);
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, (signal) => isStopping() && passOn(signal));
  }
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
