import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { Migration } from '@trunkline/sdk';
import { deadline, startProcess, type StartedProcess } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';

import { DEADLINE_MS } from '../conformance/client.ts';

const MAIN = fileURLToPath(new URL('./app-server.ts', import.meta.url));

/** Server connections that the SDK opens for a hub. */
export const CONNECTIONS = 5;

export interface AppServerOptions {
  readonly edgeUrl: string;
  readonly hub: string;
  /** What its hub method `server` answers. */
  readonly name?: string;
  /** The development key when not given. */
  readonly key?: string;
  /** The hub's client timeout in milliseconds; the SDK's default when not given. */
  readonly clientTimeout?: number;
  /** The hub's option; `always` when not given. */
  readonly migration?: Migration;
}

/** An app server in a process of its own. */
export interface AppServer extends StartedProcess<string> {
  /** What `onDisconnected` was told, for each time it ran for the connection. */
  disconnects(connectionId: string): string[];
  /** Has it call `server.stop()`, and stay. */
  stopServing(): Promise<void>;
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void>;
}

/** Ready when it has a server connection. Rejects as `startProcess` does. */
export async function startAppServer(options: AppServerOptions): Promise<AppServer> {
  const {
    edgeUrl,
    hub,
    name = '',
    key = DEVELOPMENT_ACCESS_KEY,
    clientTimeout,
    migration = 'always',
  } = options;
  const timeout = clientTimeout === undefined ? [] : ['--timeout', `${clientTimeout}`];
  const app = await startProcess(
    process.execPath,
    [MAIN, '--name', name, '--hub', hub, '--migration', migration, ...timeout],
    {
      name: 'app server',
      ipc: true,
      env: { TRUNKLINE_CONNECTION_STRING: formatConnectionString(edgeUrl, key) },
      ready: (line) => line === 'serving' && line,
    },
  );
  const said = (line: string): boolean => app.output().includes(`${line}\n`);
  return {
    ...app,
    disconnects: (connectionId) =>
      [...app.output().matchAll(/^disconnected (\S+) (.*)$/gm)]
        .filter(([, id]) => id === connectionId)
        .map(([, , error]) => error!),
    stopServing: async () => {
      app.child.send('stop');
      const stopped = async (): Promise<void> => {
        while (!said('stopped')) await once(app.child.stdout!, 'data');
      };
      await deadline(stopped(), DEADLINE_MS, 'the app server did not stop');
    },
    kill: async () => {
      app.child.kill('SIGKILL');
      await app.exited;
    },
  };
}
