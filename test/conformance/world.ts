import { getCACertificates, setDefaultCACertificates } from 'node:tls';

import {
  type Own,
  owning,
  startEdge,
  type StartedProcess,
  startNginx,
  startRoundRobinProxy,
} from '@trunkline/testing';

import type { Cluster } from '../bus/engines.ts';
import { NotesKeeper } from './notes-keeper.ts';
import { type AppServer, type AppServerOptions, startAppServer } from './start-app-server.ts';
import { startKestrel } from './start-kestrel.ts';
import type { FrontName, ProtocolName } from './variants.ts';

/** What all scenarios share. */
export interface World extends AsyncDisposable {
  /**
   * By what is in front of them and of their edges, one at each edge; those of each front have their
   * clients for themselves.
   */
  readonly apps: ReadonlyMap<FrontName, readonly AppServer[]>;
  /** What clients can speak. */
  readonly protocols: readonly ProtocolName[];
  /** All edges have one address: which of them a connection comes to is anybody's guess. */
  readonly isMixed: boolean;
  /** Another one at the same edge; what is not given is as with `at`. */
  startApp(at: AppServer, options: Partial<AppServerOptions>): Promise<AppServer>;
  /** The command lines of those servers that have not survived what clients did. */
  ended(): string[];
}

/**
 * How app servers and clients come to several edges. `together`: there is an app server at each edge, with
 * clients at the same. `apart`: app servers have dialled the last edge alone, and their clients connect at
 * the others. `mixed`: two app servers and all clients come by one address, which gives every new TCP
 * connection to another edge.
 */
export type Arrangement = 'together' | 'apart' | 'mixed';

/** What a world is made of, besides app servers. */
export interface WorldOptions {
  /** nginx is in front where that is among them, of the first edge. */
  readonly fronts: readonly FrontName[];
  /** App servers of another kind than the SDK's. */
  readonly start?: (options: AppServerOptions) => Promise<AppServer>;
  /** Several edges; one without a bus when not given. */
  readonly cluster?: (() => Promise<Cluster>) | undefined;
  readonly arrangement?: Arrangement;
  /** What clients of those app servers can speak; all there is when not given. */
  readonly protocols?: readonly ProtocolName[];
}

/** The control: the hubs and their clients, and nothing between them. */
export async function startControlWorld(): Promise<World> {
  return owning(async (own) => {
    const notes = own(await NotesKeeper.start());
    const app = own(await startKestrel(notes.url));
    return {
      apps: new Map([['straight', [app]]]),
      protocols: ['json'],
      isMixed: false,
      startApp: async () => startKestrel(notes.url),
      ended: () => endedOf([app]),
    };
  });
}

export async function startWorld(options: WorldOptions): Promise<World> {
  const { fronts, start = startAppServer, cluster, arrangement = 'together' } = options;
  const { protocols = ['json', 'messagepack'] } = options;
  return owning(async (own) => {
    const notes = own(await NotesKeeper.start());
    const edges = cluster === undefined ? [own(await startEdge())] : own(await cluster()).edges;
    const startNoted = async (given: AppServerOptions): Promise<AppServer> =>
      start({ ...given, notesUrl: notes.url });
    const apps = new Map<FrontName, AppServer[]>();
    const urls = edges.map(({ url }) => url);
    const doors = await openDoors(own, urls, arrangement);
    const straight = doors.map(async (door) => own(await startNoted(door)));
    apps.set('straight', await Promise.all(straight));
    if (fronts.includes('nginx with TLS')) {
      apps.set('nginx with TLS', [await startBehindNginx(own, edges[0]!.url, startNoted)]);
    }
    return {
      apps,
      protocols,
      isMixed: arrangement === 'mixed',
      startApp: ({ edgeUrl, clientUrl }, given) =>
        startNoted({ edgeUrl: edgeUrl!, clientUrl, ...given }),
      ended: () => endedOf([...edges, ...[...apps.values()].flat()]),
    };
  });
}

/** Where each app server comes to the edges, and its clients. */
async function openDoors(
  own: Own,
  urls: readonly string[],
  arrangement: Arrangement,
): Promise<Pick<AppServerOptions, 'edgeUrl' | 'clientUrl'>[]> {
  if (arrangement === 'together') return urls.map((edgeUrl) => ({ edgeUrl }));
  if (arrangement === 'apart') {
    return urls.slice(0, -1).map((clientUrl) => ({ edgeUrl: urls.at(-1)!, clientUrl }));
  }
  const proxy = own(await startRoundRobinProxy(urls));
  const door = { edgeUrl: proxy.url };
  return [door, door];
}

async function startBehindNginx(
  own: Own,
  edgeUrl: string,
  start: (options: AppServerOptions) => Promise<AppServer>,
): Promise<AppServer> {
  const nginx = own(await startNginx(edgeUrl));
  const app = own(await start({ edgeUrl, clientUrl: nginx.url, prefix: 'nginx_' }));
  nginx.app.target = app.url;
  // Every version of the client has a stack of its own, and all of them ask Node whom to trust.
  setDefaultCACertificates([...getCACertificates(), nginx.ca]);
  return { ...app, url: nginx.url };
}

function endedOf(servers: readonly StartedProcess<unknown>[]): string[] {
  return servers
    .filter(({ child }) => child.exitCode !== null || child.signalCode !== null)
    .map(({ child }) => child.spawnargs.join(' '));
}
