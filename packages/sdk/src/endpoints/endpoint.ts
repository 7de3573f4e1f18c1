import { TrunklineError } from '../errors.ts';
import { Service } from '../trunk/service.ts';

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

/** One endpoint of a server, for all its hubs. */
export class Endpoint {
  readonly name: string;
  readonly type: EndpointType;
  readonly service: Service;
  /** As last reported. */
  load: EndpointLoad | undefined;

  /** Throws ConnectionStringError. */
  constructor({ name, connectionString, type = 'primary' }: EndpointOptions) {
    this.service = new Service(connectionString);
    this.name = name ?? new URL(this.service.address.endpoint).host;
    this.type = type;
  }
}

/**
 * The endpoints of a server. Of several with the same URL one remains, a primary one if there is one,
 * as in .NET. Throws TrunklineError `bad-options` and ConnectionStringError.
 */
export function endpointsOf(options: readonly EndpointOptions[]): readonly Endpoint[] {
  const byUrl = new Map<string, Endpoint>();
  for (const one of options) {
    const endpoint = new Endpoint(one);
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
  return new TrunklineError('bad-options', `endpoints: ${why}`);
}
