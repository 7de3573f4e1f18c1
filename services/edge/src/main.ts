import { setFlagsFromString } from 'node:v8';
import { hurryRequest, runService } from '@trunkline/foundation';
import type { Running } from '@trunkline/foundation';
import { SettingsError } from '@trunkline/settings';
import { createLogger } from '@trunkline/telemetry';
import type { Logger } from '@trunkline/telemetry';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { readConfig } from './config.ts';
import type { Edge } from './edge.ts';
import { startEdge } from './edge.ts';
import { EDGE_SECTIONS } from './hub-settings.ts';
import { EDGE_OPTIONS } from './options.ts';
import { VERSION } from './version.ts';

// Next to nothing that a message allocates survives it, so a small young generation does: grown to
// its usual size it takes tens of megabytes of memory, and is no faster.
setFlagsFromString('--semi-space-growth-factor=1');
// And collecting it takes a millisecond: threads that share so little work cost more than they save.
setFlagsFromString('--no-parallel-scavenge');

const { env } = process;

const PROGRAM = {
  name: 'trunkline-edge',
  version: VERSION,
  table: EDGE_OPTIONS,
  configFile: true,
  sections: EDGE_SECTIONS,
};

async function start(argv: readonly string[]): Promise<Running> {
  const config = readConfig({ argv, env });
  const log = createLogger({ name: 'edge', level: config.logLevel, version: VERSION });
  const edge = await startEdge(config, log);
  log.info({ url: edge.url, admin: edge.adminUrl, edgeId: config.edgeId }, 'edge listening');
  if (config.keyIsPublic) warnOfPublicKey(edge);
  process.on('SIGHUP', () => readAgain(argv, edge, log));
  const { drainMs } = config;
  const stop = async (why: string): Promise<void> => {
    if (why === 'SIGTERM' && drainMs > 0) await drain(edge);
    await edge.stop(why);
  };
  return { drainMs, stop, failed: edge.failed };
}

/** What stops a service sends SIGTERM, and gives it time; who presses Ctrl-C waits for its end. */
async function drain(edge: Edge): Promise<void> {
  await Promise.race([
    edge.drain(),
    edge.failed.catch(() => {}),
    hurryRequest(process, () => performance.now()),
  ]);
}

function warnOfPublicKey(edge: Edge): void {
  const text = formatConnectionString(edge.url, DEVELOPMENT_ACCESS_KEY);
  process.stderr.write(
    'WARNING: this access key is for development, and known to everybody. Let nobody else reach this edge.\n' +
      `Connection string for app servers: ${text}\n`,
  );
}

/** Access keys and hubs are what changes while an edge runs; all else needs a restart. */
function readAgain(argv: readonly string[], edge: Edge, log: Logger): void {
  try {
    edge.use(readConfig({ argv, env }));
    log.info('access keys read again');
    log.info('settings of hubs read again');
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    log.error({ reason: error.message }, 'settings not read again: the old ones stay');
  }
}

await runService(PROGRAM, start);
