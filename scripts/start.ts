import { parseArgs } from 'node:util';
import { findProgram, packageVersion, runProcess, stopRequest } from '@trunkline/foundation';
import type { Running } from '@trunkline/foundation';
import { SettingsError } from '@trunkline/settings';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { nats, service } from './programs.ts';
import type { Program } from './service-process.ts';
import { ServiceProcess } from './service-process.ts';

/**
 * `npm start`: an edge, the negotiate service and the chat sample on 127.0.0.1, with the key for
 * development. Ports come from the environment (TRUNKLINE_PORT and so on).
 */

const HELP = `usage: npm start [-- --edges <n>]

Starts an edge, the negotiate service and the chat sample on 127.0.0.1, for development.
Ports: TRUNKLINE_PORT (8080), TRUNKLINE_ADMIN_PORT (9464), TRUNKLINE_NEGOTIATE_PORT (8081),
TRUNKLINE_CHAT_PORT (3000). Ctrl-C stops everything.

  --edges <n>  So many edges, 1 to 9, that are one service, and a chat at each: joined by a NATS server
               that is started too, where nats-server is installed. The second edge and chat listen
               on 8090, 9465 and 3001, and so on.
  --version    What this is.
  --help       This text.
`;

const MAX_EDGES = 9;
/** Ports of the second edge lie so far behind those of the first. */
const STEP = { TRUNKLINE_PORT: 10, TRUNKLINE_ADMIN_PORT: 1, TRUNKLINE_CHAT_PORT: 1 } as const;
const FIRST = {
  TRUNKLINE_PORT: 8080,
  TRUNKLINE_ADMIN_PORT: 9464,
  TRUNKLINE_CHAT_PORT: 3000,
} as const;

interface Edge {
  readonly url: string;
  readonly admin: string;
  /** What app servers need to join it. */
  readonly connectionString: string;
}

/** Where all that has been started listens. */
interface Places {
  readonly edges: readonly Edge[];
  /** One at each edge. */
  readonly chats: readonly string[];
  readonly negotiate: string;
  readonly bus: string | undefined;
}

function readArguments(): { information: string | undefined; edges: number } {
  try {
    const { values } = parseArgs({
      options: {
        edges: { type: 'string', default: '1' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
      },
    });
    const version = `trunkline ${packageVersion(import.meta.url)}\n`;
    const information = values.help ? HELP : values.version ? version : undefined;
    return { information, edges: edgesOf(values.edges) };
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    throw new SettingsError(`${(error as Error).message.split('.')[0]} (see --help)`);
  }
}

function edgesOf(text: string): number {
  const edges = Number(text);
  if (Number.isInteger(edges) && edges >= 1 && edges <= MAX_EDGES) return edges;
  throw new SettingsError(`--edges must be a number from 1 to ${MAX_EDGES}, not '${text}'`);
}

async function start(): Promise<Running | undefined> {
  const { information, edges } = readArguments();
  if (information !== undefined) {
    process.stdout.write(information);
    return undefined;
  }
  const services: ServiceProcess<unknown>[] = [];
  const stop = async (): Promise<void> => {
    await stopAll(services);
    process.stdout.write('Trunkline has stopped.\n');
  };
  try {
    announce(await startAll(edges, services));
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop, failed: Promise.race(services.map(({ failed }) => failed)) };
}

/** Starts what others need first, and those of one kind together; `services` has each from its start on. */
async function startAll(count: number, services: ServiceProcess<unknown>[]): Promise<Places> {
  const listening = async <T>(program: Program<T>): Promise<T> => {
    const started = new ServiceProcess(program);
    services.push(started);
    return started.listening();
  };
  const bus = count > 1 ? `nats://${await listening(nats(findProgram('nats-server')))}` : undefined;
  const startEdge = async (index: number): Promise<Edge> => {
    const env = { ...portsOf(index), ...(bus === undefined ? {} : { TRUNKLINE_BUS: bus }) };
    const entry = await listening(service('edge', env));
    const url = String(entry['url']);
    const connectionString = formatConnectionString(url, DEVELOPMENT_ACCESS_KEY);
    return { url, admin: String(entry['admin']), connectionString };
  };
  const edges = await Promise.all(Array.from({ length: count }, (_, index) => startEdge(index)));
  const joining = ({ connectionString: TRUNKLINE_CONNECTION_STRING }: Edge) => ({
    TRUNKLINE_CONNECTION_STRING,
  });
  const negotiate = await listening(service('negotiate', joining(edges[0]!)));
  const startChat = (edge: Edge, index: number) =>
    listening(service('chat', { ...portsOf(index), ...joining(edge) }));
  const chats = await Promise.all(edges.map(startChat));
  return {
    edges,
    chats: chats.map(({ url }) => String(url)),
    negotiate: String(negotiate['url']),
    bus,
  };
}

/** Of the edge with this index, and of its chat; 0, any free one, stays 0. */
function portsOf(index: number): Record<string, string> {
  const names = Object.keys(FIRST) as (keyof typeof FIRST)[];
  return Object.fromEntries(
    names.map((name) => {
      const first = process.env[name] ?? `${FIRST[name]}`;
      const port = Number(first);
      // What is no number is for the service to refuse.
      return [name, port > 0 ? `${port + index * STEP[name]}` : first];
    }),
  );
}

function announce({ edges, chats, negotiate, bus }: Places): void {
  const rows: (readonly [name: string, values: readonly string[]])[] = [
    ['Chat sample', chats],
    ['Negotiate service', [`${negotiate}/{hub}/negotiate`]],
    ['Edge', edges.map(({ url }) => url)],
    ['Metrics', edges.map(({ admin }) => `${admin}/metrics`)],
    ['Connection string', edges.map(({ connectionString }) => connectionString)],
    ...(bus === undefined ? [] : [['Bus', [bus]] as const]),
  ];
  const lines = rows.flatMap(([name, values]) =>
    values.map((value, index) => `  ${(index === 0 ? name : '').padEnd(18)}  ${value}`),
  );
  const windows = chats.length > 1 ? 'each of them in a window' : 'in two windows';
  process.stdout.write(`
Trunkline is running.

${lines.join('\n')}

Open the chat ${windows}. Ctrl-C stops everything.
`);
}

/** The last one first: chats, negotiate, edges, NATS. Those of one kind together. */
async function stopAll(services: readonly ServiceProcess<unknown>[]): Promise<void> {
  const kinds = new Map<string, ServiceProcess<unknown>[]>();
  for (const one of services) kinds.set(one.name, [...(kinds.get(one.name) ?? []), one]);
  for (const kind of [...kinds.values()].toReversed()) {
    await Promise.all(kind.map((one) => one.stop()));
  }
}

await runProcess('trunkline', start, stopRequest(process));
