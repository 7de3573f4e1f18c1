import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runProcess, stopRequest } from '@trunkline/foundation';
import type { Running } from '@trunkline/foundation';
import { SettingsError } from '@trunkline/settings';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';

/**
 * `npm start`: an edge, the negotiate service and the chat sample on 127.0.0.1, with the key for
 * development. Ports come from the environment (TRUNKLINE_PORT and so on).
 */

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** For a service to listen, and to end. */
const START_MS = 20_000;
const STOP_MS = 3_000;

interface Service {
  readonly name: string;
  readonly child: ChildProcess;
  /** The log line that says where it listens. */
  readonly listening: Readonly<Record<string, unknown>>;
}

const HELP = `usage: npm start

Starts an edge, the negotiate service and the chat sample on 127.0.0.1, for development.
Ports: TRUNKLINE_PORT (8080), TRUNKLINE_ADMIN_PORT (9464), TRUNKLINE_NEGOTIATE_PORT (8081),
TRUNKLINE_CHAT_PORT (3000). Ctrl-C stops everything.
`;

async function start(): Promise<Running | undefined> {
  const [argument] = process.argv.slice(2);
  if (argument === '--help' || argument === '-h') {
    process.stdout.write(HELP);
    return undefined;
  }
  if (argument !== undefined)
    throw new SettingsError(`unexpected argument '${argument}' (see --help)`);
  const services: Service[] = [];
  const stop = async (): Promise<void> => {
    await stopAll(services);
    process.stdout.write('Trunkline has stopped.\n');
  };
  try {
    const edge = await startService('edge', {});
    services.push(edge);
    const connectionString = formatConnectionString(
      String(edge.listening['url']),
      DEVELOPMENT_ACCESS_KEY,
    );
    const env = { TRUNKLINE_CONNECTION_STRING: connectionString };
    services.push(await startService('negotiate', env), await startService('chat', env));
    announce(services, connectionString);
  } catch (error) {
    await stop();
    throw error;
  }
  for (const { name, child } of services) {
    child.once('exit', (code) => {
      if (services.length === 0) return;
      process.stderr.write(`trunkline: ${name} has ended with code ${code}; stopping\n`);
      process.exitCode = 1;
      process.kill(process.pid, 'SIGTERM');
    });
  }
  return { stop };
}

/**
 * A process group of its own keeps the terminal's Ctrl-C from it, since services stop in order; the
 * channel ends it should this process be killed.
 */
async function startService(name: string, env: NodeJS.ProcessEnv): Promise<Service> {
  const child = spawn(
    process.execPath,
    [join(ROOT, 'services', name, 'dist', 'main.js'), '--dev'],
    {
      // The key is the one for development, whatever this shell has for other edges.
      env: { ...process.env, TRUNKLINE_ACCESS_KEYS: undefined, ...env },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      detached: true,
    },
  );
  const exit = once(child, 'exit').then(([code]): never => {
    throw new SettingsError(`${name} did not start (code ${code})`);
  });
  const late = setTimeout(START_MS, undefined, { ref: false }).then((): never => {
    child.kill('SIGKILL');
    throw new SettingsError(`${name} did not listen within ${START_MS / 1000} s`);
  });
  const listening = await Promise.race([listeningLine(name, child), exit, late]);
  return { name, child, listening };
}

/** Follows a service's log for as long as it runs: what is worth a look is shown. */
function listeningLine(name: string, child: ChildProcess): Promise<Service['listening']> {
  return new Promise((resolve) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const entry = parse(line);
      if (typeof entry['msg'] === 'string' && entry['msg'].endsWith('listening')) resolve(entry);
      if (entry['level'] !== 'info') process.stdout.write(`${name} ${line}\n`);
    });
  });
}

function parse(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function announce(services: readonly Service[], connectionString: string): void {
  const [edge, negotiate, chat] = services.map(({ listening: { url } }) => String(url));
  const admin = String(services[0]!.listening['admin']);
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
async function stopAll(services: Service[]): Promise<void> {
  for (const { child } of services.splice(0).toReversed()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const inTime = await Promise.race([exited, setTimeout(STOP_MS, 'late', { ref: false })]);
    if (inTime !== 'late') continue;
    child.kill('SIGKILL');
    await exited;
  }
}

await runProcess('trunkline', start, stopRequest(process));
