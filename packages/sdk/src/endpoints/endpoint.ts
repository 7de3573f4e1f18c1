import type { TrunklineError } from '../errors.ts';
import { badOptions } from '../errors.ts';
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

/** One endpoint of a server, for all its hubs. */
export class Endpoint {
  readonly name: string;
  readonly type: EndpointType;
  readonly service: Service;
  /** As last reported. */
  load: EndpointLoad | undefined;

  readonly #dial: Dial;

  /** Throws ConnectionStringError. */
  constructor({ name, connectionString, type = 'primary' }: EndpointOptions, how: Dial = dial) {
    this.#dial = how;
    this.service = new Service(connectionString);
    this.name = name ?? new URL(this.service.address.endpoint).host;
    this.type = type;
  }

  dial(dialled: Dialled): TrunkSocket {
    return this.#dial(this.service, dialled);
  }
}

/**
 * The endpoints of a server. Of several with the same URL one remains, a primary one if there is one,
 * as in .NET. Throws TrunklineError `bad-options` and ConnectionStringError.
 */
export function endpointsOf(options: readonly EndpointOptions[], how?: Dial): readonly Endpoint[] {
  const byUrl = new Map<string, Endpoint>();
  for (const one of options) {
    const endpoint = new Endpoint(one, how);
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
