import type { Clock } from '../clock.ts';
import type { TrunklineError } from '../errors.ts';
import { badOptions } from '../errors.ts';
import type { Directory } from '../presence/directory.ts';
import { RestDirectory } from '../presence/rest-directory.ts';
import { RestClient } from '../rest/rest-client.ts';
import { dial } from '../trunk/dial.ts';
import { Service } from '../trunk/service.ts';
import type { Dialled, TrunkSocket } from '../trunk/socket.ts';

/** Clients are sent to a secondary endpoint only while no primary one is online. */
export type EndpointType = 'primary' | 'secondary';

/** A service, or a cluster of edges, as one of several that a server works with. */
export interface EndpointOptions {
  /** What routers, events, health and metrics call it. Default: its host and port. */
  readonly name?: string;
  readonly connectionString: string;
  /** Default primary. */
  readonly type?: EndpointType;
}

/** What a service says of itself, all hubs together (service protocol reference, section 7.4). */
export interface EndpointLoad {
  /** Client connections it has. */
  readonly clients: number;
  /** Server connections it has. */
  readonly servers: number;
  /** Connections it can have; 0 when it does not say. */
  readonly capacity: number;
}

/** Starts a server connection to a service. */
export type Dial = (service: Service, dialled: Dialled) => TrunkSocket;

/** What a service tells of the connections of a hub. */
export type Tells = (endpoint: Endpoint, hub: string, clock: Clock) => Directory;

/** How a server reaches services: tests have one in their own process. */
export interface Ways {
  readonly dial: Dial;
  readonly directory: Tells;
}

const CALL_MS = 10_000;
const NETWORK: Ways = {
  dial,
  directory: ({ name, service }, hub, clock) =>
    new RestDirectory(name, new RestClient({ service, timeout: CALL_MS, clock }), hub),
};

/** One endpoint of a server, for all its hubs. */
export class Endpoint {
  readonly name: string;
  readonly type: EndpointType;
  readonly service: Service;
  /** As last reported. */
  load: EndpointLoad | undefined;

  readonly #ways: Ways;

  /** Throws ConnectionStringError. */
  constructor({ name, connectionString, type = 'primary' }: EndpointOptions, ways = NETWORK) {
    this.#ways = ways;
    this.service = new Service(connectionString);
    this.name = name ?? new URL(this.service.address.endpoint).host;
    this.type = type;
  }

  dial(dialled: Dialled): TrunkSocket {
    return this.#ways.dial(this.service, dialled);
  }

  directory(hub: string, clock: Clock): Directory {
    return this.#ways.directory(this, hub, clock);
  }
}

/**
 * The endpoints of a server. Of several with the same URL one remains, a primary one if there is one,
 * as in .NET. Throws TrunklineError `bad-options` and ConnectionStringError.
 */
export function endpointsOf(options: readonly EndpointOptions[], ways?: Ways): readonly Endpoint[] {
  const byUrl = new Map<string, Endpoint>();
  for (const one of options) {
    const endpoint = new Endpoint(one, ways);
    const url = endpoint.service.address.endpoint;
    if (byUrl.get(url)?.type !== 'primary') byUrl.set(url, endpoint);
  }
  const endpoints = [...byUrl.values()];
  const names = endpoints.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw badEndpoints(`'${twice}' is the name of two`);
  if (!endpoints.some(({ type }) => type === 'primary')) throw badEndpoints('none is primary');
  return endpoints;
}

function badEndpoints(why: string): TrunklineError {
  return badOptions(`endpoints: ${why}`);
}
