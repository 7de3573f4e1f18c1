import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EDGE_ENVIRONMENT } from '@trunkline/foundation';
import { SettingsError } from '@trunkline/settings';
import type { Program } from './service-process.ts';
import { TIMES } from './times.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TIED = join(ROOT, 'scripts', 'tied.ts');
export const SERVERLESS_SAMPLE = join(ROOT, 'samples', 'serverless');

/** The key is the one for development, whatever this shell has for other edges. */
const NO_KEYS = {
  TRUNKLINE_ACCESS_KEYS: undefined,
  TRUNKLINE_ACCESS_KEYS_FILE: undefined,
  TRUNKLINE_CONNECTION_STRING_FILE: undefined,
};

const STOP_MS = {
  edge: TIMES.stopEdge,
  negotiate: TIMES.stopNegotiate,
  chat: TIMES.stopChat,
} as const;

/** A log line: its fields. */
type Entry = Readonly<Record<string, unknown>>;

/** What logs as our services do, and is of use from the line on whose message ends in these words. */
function logs(words: string): Pick<Program<Entry>, 'output' | 'listens' | 'isShown'> {
  return {
    output: 'stdout',
    listens: (line) => {
      const entry = parse(line);
      const { msg } = entry;
      return typeof msg === 'string' && msg.endsWith(words) ? entry : undefined;
    },
    isShown: (line) => parse(line)['level'] !== 'info',
  };
}

/** One of our services, as it was built. */
export function service(service: keyof typeof STOP_MS, env: NodeJS.ProcessEnv): Program<Entry> {
  return {
    name: service,
    path: process.execPath,
    args: [join(ROOT, 'services', service, 'dist', 'main.js'), '--dev'],
    env: { ...EDGE_ENVIRONMENT, ...process.env, ...NO_KEYS, ...env },
    stopMs: STOP_MS[service],
    // Until it is connected, the chat turns its page's negotiate away.
    ...logs(service === 'chat' ? 'connected to the edge' : 'listening'),
  };
}

/** An edge with this config file, whose upstream is the serverless sample. */
export function serverlessEdge(config: string): Program<Entry> {
  const edge = service('edge', {});
  return { ...edge, args: [...edge.args, '--config', config], stopMs: TIMES.stopServerlessEdge };
}

/** The web app of the serverless sample, as its source is. */
export function serverlessApp(port: number, connectionString: string): Program<Entry> {
  const own = { PORT: `${port}`, TRUNKLINE_CONNECTION_STRING: connectionString };
  return {
    name: 'serverless',
    path: process.execPath,
    args: [join(SERVERLESS_SAMPLE, 'main.ts')],
    env: { ...process.env, ...NO_KEYS, ...own },
    stopMs: TIMES.stopServerlessApp,
    ...logs('listening'),
  };
}

/** A NATS server on a free port of this machine, with the configuration that we ship. `path`: undefined where there is none. */
export function nats(path: string | undefined): Program<string> {
  if (path === undefined) {
    throw new SettingsError(
      'several edges need a bus between them, and this machine has no nats-server: install it (Debian: apt-get install nats-server; macOS: brew install nats-server), or leave --edges out',
    );
  }
  const config = join(ROOT, 'deploy', 'nats.conf');
  return {
    name: 'nats-server',
    path: process.execPath,
    // -1: any free port. It logs where it listens.
    args: [TIED, path, '--config', config, '--addr', '127.0.0.1', '--port', '-1'],
    env: process.env,
    stopMs: TIMES.stopNats,
    output: 'stderr',
    listens: (line) => /Listening for client connections on (\S+)$/.exec(line)?.[1],
    isShown: (line) => /\[(?:WRN|ERR|FTL)\]/.test(line),
  };
}

function parse(line: string): Entry {
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return {};
  }
}
