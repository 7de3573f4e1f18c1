import { runService } from '@trunkline/foundation';
import type { Running } from '@trunkline/foundation';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import type { ConfigSources, EdgeConfig } from './config.ts';
import { readConfig } from './config.ts';
import { EDGE_SECTIONS } from './hub-settings.ts';
import { EDGE_OPTIONS } from './options.ts';
import { VERSION } from './version.ts';

const PROGRAM = {
  name: 'trunkline-edge',
  version: VERSION,
  table: EDGE_OPTIONS,
  configFile: true,
  sections: EDGE_SECTIONS,
};

async function start(argv: readonly string[]): Promise<Running> {
  const sources = { argv, env: process.env };
  const config = readConfig(sources);
  const edge = await begin(config, sources);
  if (config.keyIsPublic) warnOfPublicKey(edge.url);
  return edge;
}

/** Loads what it needs only now: --help and wrong settings are answered without it, in half the time. */
async function begin(
  config: EdgeConfig,
  sources: ConfigSources,
): Promise<Running & { url: string }> {
  if (config.processes === 1) {
    const { runEdge } = await import('./run-edge.ts');
    return runEdge(config, sources);
  }
  const { startParent } = await import('./processes/parent.ts');
  return startParent(config, sources.argv);
}

function warnOfPublicKey(url: string): void {
  process.stderr.write(
    'WARNING: this access key is for development, and known to everybody. Let nobody else reach this edge.\n' +
      `Connection string for app servers: ${formatConnectionString(url, DEVELOPMENT_ACCESS_KEY)}\n`,
  );
}

await runService(PROGRAM, start);
