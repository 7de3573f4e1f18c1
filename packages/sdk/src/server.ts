import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';

import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import { noConnectionString } from './connection-string.ts';
import type { Endpoint, Ways } from './endpoints/endpoint.ts';
import { endpointsOf } from './endpoints/endpoint.ts';
import { badOptions } from './errors.ts';
import type { AnyHub, Hub, HubClass, HubType } from './hubs/hub.ts';
import type { HubHost } from './hubs/hub-host.ts';
import { HubHosts } from './hubs/hub-hosts.ts';
import { HubKeys } from './hubs/hub-key.ts';
import type { MapOptions } from './hubs/hub-route.ts';
import { hubRoute, systemClaims } from './hubs/hub-route.ts';
import type { ClientOf } from './hubs/typed-connection.ts';
import { refreshAuth } from './management/auth-refresh.ts';
import { ServiceManager } from './management/service-manager.ts';
import type { ServiceRequests } from './management/service-requests.ts';
import type { ExpressHandler, ExpressRequest } from './negotiate/express.ts';
import { expressHandler } from './negotiate/express.ts';
import type { FastifyPlugin, FastifyRequestLike } from './negotiate/fastify.ts';
import { fastifyPlugin } from './negotiate/fastify.ts';
import { Negotiator } from './negotiate/handler.ts';
import type { NodeHandler } from './negotiate/node.ts';
import { nodeHandler } from './negotiate/node.ts';
import type { NegotiateOptions } from './negotiate/options.ts';
import type { WebHandler } from './negotiate/web.ts';
import { webHandler } from './negotiate/web.ts';
import { checkOptions } from './option-tables/check.ts';
import { NEGOTIATE_OPTIONS, STOP_OPTIONS } from './option-tables/tables.ts';
import type { ServerOptions, ServerSettings } from './options.ts';
import { serverSettings } from './options.ts';
import type { Serving } from './reuse.ts';
import { handedOn, Place } from './reuse.ts';
import { Clients } from './sending/clients.ts';
import type { ServerEvents } from './telemetry/events.ts';
import { Events } from './telemetry/events.ts';
import type { ServerHealth } from './telemetry/health.ts';
import { healthOf } from './telemetry/health.ts';
import type { MetricRegistry } from './telemetry/metrics.ts';
import { registerMetrics } from './telemetry/metrics.ts';

const STOP_TIMEOUT_MS = 5_000;

/** A hub from outside: sends to its clients, and all that can be asked of them. */
export class HubHandle<Client> extends ServiceManager {
  readonly clients: Clients<Client>;

  constructor(clients: Clients<Client>, requests: ServiceRequests) {
    super(requests);
    this.clients = clients;
  }
}

export interface StopOptions {
  /** Milliseconds for clients to leave, and for their calls to finish. Default 5 s. */
  readonly timeout?: number;
}

/**
 * A hub server: hubs on paths, connected to one service or several.
 * Throws TrunklineError `bad-options` and ConnectionStringError.
 */
export function createServer(options: ServerOptions = {}): Server {
  return new Server(options);
}

/**
 * See `createServer`. Map the hubs, then start; a stopped server stays stopped. It emits
 * `ServerEvents`.
 */
export class Server extends EventEmitter<ServerEvents> {
  readonly #settings: ServerSettings;
  readonly #endpoints: readonly Endpoint[];
  readonly #negotiator: Negotiator;
  readonly #keys: HubKeys;
  readonly #hosts: HubHosts;
  readonly #own: Serving;
  readonly #place: Place | undefined;
  #state: 'new' | 'started' | 'stopped' = 'new';
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: ServerOptions, clock: Clock = systemClock, ways?: Ways) {
    super();
    this.#settings = serverSettings(options);
    const settings = this.#settings;
    this.#negotiator = new Negotiator(settings.logger, () => this.#serving.negotiator);
    this.#endpoints = settings.endpoints === undefined ? [] : endpointsOf(settings.endpoints, ways);
    this.#keys = new HubKeys(options.applicationName);
    const observer = new Events(this, settings.logger);
    this.#hosts = new HubHosts({ settings, endpoints: this.#endpoints, clock, observer });
    const own: Serving = {
      negotiator: this.#negotiator,
      hosts: this.#hosts.byKey,
      isConnected: () => ['up', 'degraded'].includes(healthIn(own).status),
      isStopped: () => this.#state === 'stopped',
    };
    this.#own = own;
    if (options.reuse !== undefined) this.#place = this.#placeNamed(options.reuse);
  }

  /**
   * Maps a hub to a path, to which clients add `/negotiate`. A class whose constructor takes
   * arguments needs the option `create`. Throws TrunklineError `bad-options`, also once the server
   * has started.
   */
  hub<Client>(path: string, hubClass: HubClass<Client>, options?: MapOptions): HubHandle<Client>;
  hub<Made extends AnyHub>(
    path: string,
    hubClass: HubType<Made>,
    options: MapOptions & { readonly create: () => NoInfer<Made> },
  ): HubHandle<ClientOf<Made>>;
  hub<Client>(
    path: string,
    hubClass: HubType<Hub<Client>>,
    options: MapOptions = {},
  ): HubHandle<Client> {
    if (this.#state !== 'new') throw badOptions('map every hub before start()');
    const route = hubRoute(path, hubClass, options, this.#settings, this.#negotiator.paths);
    const key = this.#keys.claim(route.path, hubClass, options.hub);
    const host = this.#hosts.add(key, route);
    this.#negotiator.add({
      path: route.path,
      hub: key,
      system: systemClaims(route.settings),
      authorize: route.authorize,
      choose: (client) => host.endpoints.choose(client),
      refresh: (signIn) => refreshAuth(host.requestsFor(), signIn),
    });
    const handle = handleOf<Client>(host);
    if (this.#place === undefined) return handle;
    return handedOn(handle, () => handleOf<Client>(this.#serving.hosts.get(key) ?? host));
  }

  /**
   * Connects, and resolves when every hub has a server connection; until then it keeps trying. Of
   * several endpoints each has been tried by then, and one is connected. Rejects with TrunklineError
   * `unauthorized` when a service does not know the access key, and `not-connected` when stopped
   * before it was connected; and with `bad-options` without a connection string, and when it was
   * stopped. Called again, it waits for the same.
   */
  async start(): Promise<void> {
    if (this.#state === 'stopped') throw badOptions('a stopped server does not start again');
    if (this.#endpoints.length === 0) throw noConnectionString();
    return (this.#started ??= this.#start());
  }

  /**
   * Leaves: asks the service to take the clients away, lets calls finish, and after the timeout lets
   * go of the clients that are left. The service moves them to other servers where the hub's
   * `migration` says so, and else closes them so that they reconnect. Closes the server connections
   * last. Called again, it waits for the same end. Rejects with TrunklineError `bad-options`, and goes
   * on as before then.
   */
  async stop(options: StopOptions = {}): Promise<void> {
    checkOptions('server.stop', STOP_OPTIONS, options);
    this.#state = 'stopped';
    this.#place?.vacate();
    return (this.#stopped ??= this.#hosts.leave(options.timeout ?? STOP_TIMEOUT_MS));
  }

  /** How the server is: its hubs, what each is connected to, and how many clients it has. */
  get health(): ServerHealth {
    return healthIn(this.#serving);
  }

  /**
   * Registers the server's metrics with a registry of prom-client. Of several servers in one process
   * each needs a registry of its own.
   */
  metrics(registry: MetricRegistry): void {
    registerMetrics(registry, () => this.#serving.hosts.values());
  }

  /** A fastify plugin that answers negotiate. Give it fastify's own request type, if you need it. */
  fastify<Request extends object = FastifyRequestLike>(
    options: NegotiateOptions<Request> = {},
  ): FastifyPlugin {
    checkOptions('server.fastify', NEGOTIATE_OPTIONS, options);
    return fastifyPlugin(this.#negotiator, options);
  }

  /** An express middleware that answers negotiate. */
  express<Request extends IncomingMessage = ExpressRequest>(
    options: NegotiateOptions<Request> = {},
  ): ExpressHandler<Request> {
    checkOptions('server.express', NEGOTIATE_OPTIONS, options);
    return expressHandler(this.#negotiator, options);
  }

  /** A handler of Node's own http server that answers negotiate, and 404 to anything else. */
  node(options: NegotiateOptions<IncomingMessage> = {}): NodeHandler {
    checkOptions('server.node', NEGOTIATE_OPTIONS, options);
    return nodeHandler(this.#negotiator, options, this.#settings.logger);
  }

  /** A handler of the web's own Request and Response, as Hono, Next.js, Bun and Deno have them. */
  web(options: NegotiateOptions<Request> = {}): WebHandler {
    checkOptions('server.web', NEGOTIATE_OPTIONS, options);
    return webHandler(this.#negotiator, options, this.#settings.logger);
  }

  /** This server, or who answers for it under its name. */
  get #serving(): Serving {
    return this.#place?.answering() ?? this.#own;
  }

  #placeNamed(name: string): Place {
    const connect = () => this.#connect();
    const leave = () => this.stop();
    return new Place(name, { ...this.#own, connect, leave });
  }

  #start(): Promise<void> {
    this.#state = 'started';
    this.#hosts.tick();
    return this.#place === undefined ? this.#connect() : this.#place.start();
  }

  async #connect(): Promise<void> {
    try {
      await this.#hosts.connect();
    } catch (error) {
      await this.stop({ timeout: 0 });
      throw error;
    }
  }
}

function handleOf<Client>(host: HubHost): HubHandle<Client> {
  return new HubHandle(new Clients<Client>(host.sender()), host.requestsFor());
}

function healthIn({ hosts, isStopped }: Serving): ServerHealth {
  return healthOf([...hosts.values()], isStopped());
}
