import { runService } from '@trunkline/foundation';
import type { Running } from '@trunkline/foundation';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { readConfig } from './config.ts';
import { EDGE_SECTIONS } from './hub-settings.ts';
import { EDGE_OPTIONS } from './options.ts';
import { startParent } from './processes/parent.ts';
import { runEdge } from './run-edge.ts';
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
  const edge =
    config.processes > 1 ? await startParent(config, argv) : await runEdge(config, sources);
  if (config.keyIsPublic) warnOfPublicKey(edge.url);
  return edge;
}

function warnOfPublicKey(url: string): void {
  process.stderr.write(
    'WARNING: this access key is for development, and known to everybody. Let nobody else reach this edge.\n' +
      `Connection string for app servers: ${formatConnectionString(url, DEVELOPMENT_ACCESS_KEY)}\n`,
  );
}

await runService(PROGRAM, start);
