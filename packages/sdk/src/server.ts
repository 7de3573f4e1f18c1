import type { IncomingMessage } from 'node:http';

import { HUB_NAME } from '@trunkline/protocol';

import type { HubRoute } from './clients/host.ts';
import type { Clock } from './clock.ts';
import { settledWithin, systemClock } from './clock.ts';
import { TrunklineError } from './errors.ts';
import type { HubClass } from './hubs/hub.ts';
import { HubHost } from './hubs/hub-host.ts';
import { methodTable } from './hubs/method-table.ts';
import type { ExpressHandler, ExpressRequest } from './negotiate/express.ts';
import { expressHandler } from './negotiate/express.ts';
import type { FastifyPlugin, FastifyRequestLike } from './negotiate/fastify.ts';
import { fastifyPlugin } from './negotiate/fastify.ts';
import type { NegotiateOptions } from './negotiate/handler.ts';
import { Negotiator } from './negotiate/handler.ts';
import type { NodeHandler } from './negotiate/node.ts';
import { nodeHandler } from './negotiate/node.ts';
import type { HubOptions, HubSettings, ServerOptions, ServerSettings } from './options.ts';
import { hubSettings, serverSettings } from './options.ts';
import { protocolsNamed } from './protocols/index.ts';
import { Clients } from './sending/clients.ts';
import type { Groups } from './sending/groups.ts';
import { Acks } from './trunk/acks.ts';
import { Service } from './trunk/dial.ts';

const TICK_MS = 1000;
const STOP_TIMEOUT_MS = 5_000;
/** How long clients closed at the end may take for their `onDisconnected`. */
const FAREWELL_MS = 1_000;

/** Sends and group changes from outside a hub. */
export interface HubHandle<Client> {
  readonly clients: Clients<Client>;
  readonly groups: Groups;
}

export interface MapOptions extends HubOptions {
  /** The hub key: clients and servers of one key belong together. Default: the class's name. */
  readonly hub?: string;
}

export interface StopOptions {
  /** Milliseconds for clients to move to other servers, and for calls to finish. Default 5 s. */
  readonly timeout?: number;
}

/**
 * A hub server: hubs on paths, connected to the service of a connection string.
 * Throws TrunklineError `bad-options` and ConnectionStringError.
 */
export function createServer(options: ServerOptions = {}): Server {
  return new Server(options);
}

/** See `createServer`. Map the hubs, then start; a stopped server stays stopped. */
export class Server {
  readonly #settings: ServerSettings;
  readonly #clock: Clock;
  readonly #service: Service;
  readonly #negotiator: Negotiator;
  readonly #hosts = new Map<string, HubHost>();
  readonly #acks = new Acks();
  #state: 'new' | 'started' | 'stopped' = 'new';
  #cancelTick = () => {};

  constructor(options: ServerOptions, clock: Clock = systemClock) {
    this.#settings = serverSettings(options);
    this.#clock = clock;
    this.#service = new Service(this.#settings.connectionString);
    this.#negotiator = new Negotiator(this.#service);
  }

  /**
   * Maps a hub to a path, to which clients add `/negotiate`. Throws TrunklineError `bad-options`,
   * also once the server has started.
   */
  hub<Client>(
    path: string,
    hubClass: HubClass<Client>,
    options: MapOptions = {},
  ): HubHandle<Client> {
    if (this.#state !== 'new') throw badOptions('map every hub before start()');
    const { hub = hubClass.name, ...own } = options;
    const key = hub.toLowerCase();
    if (!HUB_NAME.test(key)) {
      throw badOptions(
        `'${hub}' on ${path} is no hub name: give options.hub, of letters and digits`,
      );
    }
    const settings = hubSettings(this.#settings.hubOptions, own);
    const route: HubRoute = {
      path: checkedPath(path, this.#negotiator.paths),
      hubClass,
      methods: methodTable(hubClass),
      settings,
      protocols: protocolsNamed(settings.supportedProtocols),
    };
    const host = this.#host(key);
    host.addRoute(route);
    const online = () => host.pool.online;
    this.#negotiator.add({ path: route.path, hub: key, system: systemClaims(settings), online });
    return { clients: new Clients<Client>(host.sender()), groups: host.groupsFor() };
  }

  /**
   * Connects, and resolves when every hub has a server connection; until then it keeps trying.
   * Rejects with TrunklineError `unauthorized` when the service does not know the access key, and
   * `not-connected` when stopped before it was connected.
   */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw badOptions('start() works once');
    this.#state = 'started';
    this.#tick();
    try {
      await Promise.all([...this.#hosts.values()].map((host) => host.pool.start()));
    } catch (error) {
      await this.stop({ timeout: 0 });
      throw error;
    }
  }

  /**
   * Leaves: asks the service to move the clients to other servers, lets calls finish, and after the
   * timeout lets go of the clients that are left, for the service to move, or to close so that they
   * reconnect. Closes the server connections last.
   */
  async stop({ timeout = STOP_TIMEOUT_MS }: StopOptions = {}): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    const hosts = [...this.#hosts.values()];
    for (const host of hosts) host.pool.drain();
    const left = Promise.all(hosts.flatMap((host) => [host.pool.finished(), host.idle()]));
    if (!(await settledWithin(this.#clock, left, timeout))) {
      for (const host of hosts) host.letGo();
      const idle = Promise.all(hosts.map((host) => host.idle()));
      await settledWithin(this.#clock, idle, FAREWELL_MS);
    }
    await Promise.all(hosts.map((host) => host.pool.close()));
    this.#cancelTick();
  }

  /** A fastify plugin that answers negotiate. Give it fastify's own request type, if you need it. */
  fastify<Request extends object = FastifyRequestLike>(
    options: NegotiateOptions<Request> = {},
  ): FastifyPlugin {
    return fastifyPlugin(this.#negotiator, options);
  }

  /** An express middleware that answers negotiate. */
  express<Request extends IncomingMessage = ExpressRequest>(
    options: NegotiateOptions<Request> = {},
  ): ExpressHandler<Request> {
    return expressHandler(this.#negotiator, options);
  }

  /** A handler of Node's own http server that answers negotiate, and 404 to anything else. */
  node(options: NegotiateOptions<IncomingMessage> = {}): NodeHandler {
    return nodeHandler(this.#negotiator, options, this.#settings.logger);
  }

  #host(key: string): HubHost {
    const known = this.#hosts.get(key);
    if (known !== undefined) return known;
    const { connectionCount, maximumOutboundBytes, logger } = this.#settings;
    const host = new HubHost({
      hub: key,
      service: this.#service,
      count: connectionCount,
      maximumOutboundBytes,
      clock: this.#clock,
      logger,
      acks: this.#acks,
      totalClients: () => this.#totalClients(),
    });
    this.#hosts.set(key, host);
    return host;
  }

  #totalClients(): number {
    let total = 0;
    for (const host of this.#hosts.values()) total += host.clientCount;
    return total;
  }

  /** The one timer of all clients, acks and server connections. */
  #tick(): void {
    const now = this.#clock.now();
    this.#acks.expire(now);
    for (const host of this.#hosts.values()) host.tick(now);
    this.#cancelTick = this.#clock.after(TICK_MS, () => this.#tick());
  }
}

function checkedPath(path: string, negotiatePaths: readonly string[]): string {
  const checked = path.replace(/\/$/, '');
  if (!path.startsWith('/') || /[?#]/.test(path)) {
    throw badOptions(`a hub's path starts with / and has no query, unlike '${path}'`);
  }
  if (negotiatePaths.includes(`${checked}/negotiate`)) {
    throw badOptions(`'${path}' is mapped twice`);
  }
  return checked;
}

function systemClaims(settings: HubSettings) {
  const seconds = Math.round(settings.handshakeTimeout / 1000);
  return {
    handshakeTimeoutSeconds: Math.min(30, Math.max(1, seconds)),
    detailedErrors: settings.enableDetailedErrors,
  };
}

function badOptions(why: string): TrunklineError {
  return new TrunklineError('bad-options', why);
}
