import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageVersion, runProcess, stopRequest } from '@trunkline/foundation';
import type { Running } from '@trunkline/foundation';
import { SettingsError } from '@trunkline/settings';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { SERVERLESS_SAMPLE, serverlessApp, serverlessEdge } from './programs.ts';
import { ServiceProcess } from './service-process.ts';

/**
 * `npm run serverless`: an edge and the serverless sample on 127.0.0.1, with the key for development.
 * Ports come from the environment.
 */

const HELP = `usage: npm run serverless

Starts an edge and the serverless sample on 127.0.0.1, for development: a hub without an app server, and
the web app that the edge tells of its clients.
Ports: PORT of the sample's page (3000), TRUNKLINE_PORT (8080), TRUNKLINE_ADMIN_PORT (9464).
Ctrl-C stops both.

  --version    What this is.
  --help       This text.
`;

/** Where edge.json has the sample. */
const SAMPLE_PORT = 3000;

function readArguments(): string | undefined {
  try {
    const { values } = parseArgs({
      options: {
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
      },
    });
    if (values.help) return HELP;
    return values.version ? `trunkline ${packageVersion(import.meta.url)}\n` : undefined;
  } catch (error) {
    throw new SettingsError(`${(error as Error).message.split('.')[0]} (see --help)`);
  }
}

/** The edge is told where the sample is before that listens, so any free port will not do. */
function samplePort(): number {
  const text = process.env['PORT'] ?? `${SAMPLE_PORT}`;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new SettingsError(`PORT must be a number from 1 to 65535, not '${text}'`);
}

/** The sample's edge.json, for the port that the sample has. */
function writeConfig(folder: string, port: number): string {
  const config = readFileSync(join(SERVERLESS_SAMPLE, 'edge.json'), 'utf8');
  const path = join(folder, 'edge.json');
  writeFileSync(path, config.replace(`127.0.0.1:${SAMPLE_PORT}`, `127.0.0.1:${port}`));
  return path;
}

async function start(): Promise<Running | undefined> {
  const information = readArguments();
  if (information !== undefined) {
    process.stdout.write(information);
    return undefined;
  }
  const port = samplePort();
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-serverless-'));
  const services: ServiceProcess<unknown>[] = [];
  const stop = async (): Promise<void> => {
    // The edge first: it tells the sample of the end of its clients.
    for (const one of services) await one.stop();
    rmSync(folder, { recursive: true });
    process.stdout.write('Trunkline has stopped.\n');
  };
  try {
    await startBoth(services, writeConfig(folder, port), port);
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop, failed: Promise.race(services.map(({ failed }) => failed)) };
}

/** `services` has each from its start on. */
async function startBoth(
  services: ServiceProcess<unknown>[],
  config: string,
  port: number,
): Promise<void> {
  const edge = new ServiceProcess(serverlessEdge(config));
  services.push(edge);
  const url = String((await edge.listening())['url']);
  const connectionString = formatConnectionString(url, DEVELOPMENT_ACCESS_KEY);
  const app = new ServiceProcess(serverlessApp(port, connectionString));
  services.push(app);
  const page = String((await app.listening())['url']);
  process.stdout.write(`
The serverless sample is running.

  Page               ${page}
  Edge               ${url}
  Connection string  ${connectionString}

Open the page in two windows, with ?user= and a name if you like. Ctrl-C stops everything.
`);
}

await runProcess('trunkline', start, stopRequest(process));
