import { packageVersion, runProcess, stopRequest } from '@trunkline/foundation';
import type { Running } from '@trunkline/foundation';
import { SettingsError } from '@trunkline/settings';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { ServiceProcess } from './service-process.ts';
import { TIMES } from './times.ts';

/**
 * `npm start`: an edge, the negotiate service and the chat sample on 127.0.0.1, with the key for
 * development. Ports come from the environment (TRUNKLINE_PORT and so on).
 */

const HELP = `usage: npm start

Starts an edge, the negotiate service and the chat sample on 127.0.0.1, for development.
Ports: TRUNKLINE_PORT (8080), TRUNKLINE_ADMIN_PORT (9464), TRUNKLINE_NEGOTIATE_PORT (8081),
TRUNKLINE_CHAT_PORT (3000). Ctrl-C stops everything.
`;

const VERSION = `trunkline ${packageVersion(import.meta.url)}\n`;
const INFORMATION = new Map([
  ['--help', HELP],
  ['-h', HELP],
  ['--version', VERSION],
  ['-v', VERSION],
]);

/** Where the services listen, and what app servers need to join them. */
interface Places {
  readonly edge: string;
  readonly admin: string;
  readonly negotiate: string;
  readonly chat: string;
  readonly connectionString: string;
}

async function start(): Promise<Running | undefined> {
  const [argument] = process.argv.slice(2);
  const asked = INFORMATION.get(argument ?? '');
  if (asked !== undefined) {
    process.stdout.write(asked);
    return undefined;
  }
  if (argument !== undefined)
    throw new SettingsError(`unexpected argument '${argument}' (see --help)`);
  const services: ServiceProcess[] = [];
  const stop = async (): Promise<void> => {
    await stopAll(services);
    process.stdout.write('Trunkline has stopped.\n');
  };
  try {
    announce(await startAll(services));
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop, failed: Promise.race(services.map(({ failed }) => failed)) };
}

/** Starts one service after the other; `services` has each from its start on. */
async function startAll(services: ServiceProcess[]): Promise<Places> {
  const listening = async (name: string, env: NodeJS.ProcessEnv) => {
    const service = new ServiceProcess(name, env);
    services.push(service);
    return service.listening();
  };
  const edge = await listening('edge', {});
  const url = String(edge['url']);
  const connectionString = formatConnectionString(url, DEVELOPMENT_ACCESS_KEY);
  const env = { TRUNKLINE_CONNECTION_STRING: connectionString };
  const negotiate = await listening('negotiate', env);
  const chat = await listening('chat', env);
  return {
    edge: url,
    admin: String(edge['admin']),
    negotiate: String(negotiate['url']),
    chat: String(chat['url']),
    connectionString,
  };
}

function announce({ edge, admin, negotiate, chat, connectionString }: Places): void {
  process.stdout.write(`
Trunkline is running.

  Chat sample         ${chat}
  Negotiate service   ${negotiate}/{hub}/negotiate
  Edge                ${edge}
  Metrics             ${admin}/metrics
  Connection string   ${connectionString}

Open the chat in two windows. Ctrl-C stops everything.
`);
}

/** The last one first: chat, negotiate, edge. */
async function stopAll(services: readonly ServiceProcess[]): Promise<void> {
  const times = [TIMES.stopEdge, TIMES.stopNegotiate, TIMES.stopChat];
  for (const [index, service] of [...services.entries()].toReversed()) {
    await service.stop(times[index]!);
  }
}

await runProcess('trunkline', start, stopRequest(process));
