import { hurryRequest } from '@trunkline/foundation';
import type { Running } from '@trunkline/foundation';
import { SettingsError } from '@trunkline/settings';
import { createLogger } from '@trunkline/telemetry';
import type { Logger } from '@trunkline/telemetry';
import type { ConfigSources, EdgeConfig } from './config.ts';
import { readConfig } from './config.ts';
import type { Edge } from './edge.ts';
import { startEdge } from './edge.ts';
import { keepHeapSmall } from './heap.ts';
import { SYSTEM_TIME } from './system-time.ts';
import { VERSION } from './version.ts';

/** An edge that this process is. */
export interface RunningEdge extends Running, Pick<Edge, 'url' | 'adminUrl' | 'failed'> {
  readonly failed: Promise<never>;
}

/** Has this process be an edge, whose access keys and hubs are read again from `sources` on SIGHUP. */
export async function runEdge(config: EdgeConfig, sources: ConfigSources): Promise<RunningEdge> {
  const { logLevel: level, edgeId } = config;
  const log = createLogger({ name: 'edge', level, version: VERSION }).child({ edgeId });
  // While it starts the signal must not end it, and what has changed then counts.
  let started: Edge | undefined;
  let isChanged = false;
  process.on('SIGHUP', () => {
    isChanged = true;
    if (started !== undefined) readAgain(sources, started, log);
  });
  const endKeeping = keepHeapSmall(SYSTEM_TIME);
  const edge = await startEdge(config, log);
  started = edge;
  log.info({ url: edge.url, admin: edge.adminUrl }, 'edge listening');
  if (isChanged) readAgain(sources, edge, log);
  const { drainMs } = config;
  const stop = async (why: string): Promise<void> => {
    if (why === 'SIGTERM' && drainMs > 0) await drain(edge);
    endKeeping();
    await edge.stop(why);
  };
  const { url, adminUrl, failed } = edge;
  return { url, adminUrl, failed, drainMs, stop };
}

/** What stops a service sends SIGTERM, and gives it time; who presses Ctrl-C waits for its end. */
async function drain(edge: Edge): Promise<void> {
  await Promise.race([
    edge.drain(),
    edge.failed.catch(() => {}),
    hurryRequest(process, () => performance.now()),
  ]);
}

/** Access keys and hubs are what changes while an edge runs; all else needs a restart. */
function readAgain(sources: ConfigSources, edge: Edge, log: Logger): void {
  try {
    edge.use(readConfig(sources));
    log.info('access keys read again');
    log.info('settings of hubs read again');
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    log.error({ reason: error.message }, 'settings not read again: the old ones stay');
  }
}
