import { getCACertificates, setDefaultCACertificates } from 'node:tls';

import { startEdge, type StartedEdge, type StartedProcess, startNginx } from '@trunkline/testing';

import { type AppServer, type AppServerOptions, startAppServer } from './start-app-server.ts';
import { startKestrel } from './start-kestrel.ts';
import type { FrontName, ProtocolName } from './variants.ts';

/** What all scenarios share. */
export interface World extends AsyncDisposable {
  /** Not there with the control. */
  readonly edge?: StartedEdge;
  /** By what is in front of it and of the edge; each has its clients for itself. */
  readonly apps: ReadonlyMap<FrontName, AppServer>;
  /** What clients can speak. */
  readonly protocols: readonly ProtocolName[];
  /** Another app server; what is not given is as with the first one. */
  startApp(options?: Partial<AppServerOptions>): Promise<AppServer>;
  /** The command lines of those servers that have not survived what clients did. */
  ended(): string[];
}

/** The control: the hubs and their clients, and nothing between them. */
export async function startControlWorld(): Promise<World> {
  const app = await startKestrel();
  return {
    apps: new Map([['straight', app]]),
    protocols: ['json'],
    startApp: startKestrel,
    ended: () => endedOf([app]),
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}

/** With nginx where that is among the fronts, and app servers of another kind if `start` is given. */
export async function startWorld(
  fronts: readonly FrontName[],
  start: (options: AppServerOptions) => Promise<AppServer> = startAppServer,
): Promise<World> {
  const owned: AsyncDisposable[] = [];
  const own = <T extends AsyncDisposable>(resource: T): T => {
    owned.push(resource);
    return resource;
  };
  const dispose = async (): Promise<void> => {
    for (const resource of owned.toReversed()) await resource[Symbol.asyncDispose]();
  };
  try {
    const edge = own(await startEdge());
    const apps = new Map<FrontName, AppServer>();
    apps.set('straight', own(await start({ edgeUrl: edge.url })));
    if (fronts.includes('nginx with TLS')) {
      const nginx = own(await startNginx(edge.url));
      const options = { edgeUrl: edge.url, clientUrl: nginx.url, prefix: 'nginx_' };
      const app = own(await start(options));
      nginx.app.target = app.url;
      // Every version of the client has a stack of its own, and all of them ask Node whom to trust.
      setDefaultCACertificates([...getCACertificates(), nginx.ca]);
      apps.set('nginx with TLS', { ...app, url: nginx.url });
    }
    return {
      edge,
      apps,
      protocols: ['json', 'messagepack'],
      startApp: (options) => start({ edgeUrl: edge.url, ...options }),
      ended: () => endedOf([edge, ...apps.values()]),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function endedOf(servers: readonly StartedProcess<unknown>[]): string[] {
  return servers
    .filter(({ child }) => child.exitCode !== null || child.signalCode !== null)
    .map(({ child }) => child.spawnargs.join(' '));
}
