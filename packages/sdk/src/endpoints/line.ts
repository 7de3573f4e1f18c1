import { ConnectionPool } from '../trunk/connection-pool.ts';
import type { PoolOptions } from '../trunk/connection-pool.ts';
import type { Endpoint, EndpointLoad, EndpointType } from './endpoint.ts';
import type { HubEndpoint } from './router.ts';

/** An endpoint of one hub: what routers see, and the pool behind it. */
export class Line implements HubEndpoint {
  readonly endpoint: Endpoint;
  readonly pool: ConnectionPool;

  constructor(options: PoolOptions) {
    this.endpoint = options.endpoint;
    this.pool = new ConnectionPool(options);
  }

  get name(): string {
    return this.endpoint.name;
  }

  get type(): EndpointType {
    return this.endpoint.type;
  }

  get online(): boolean {
    return this.pool.online;
  }

  get clients(): number {
    return this.pool.clients;
  }

  get load(): EndpointLoad | undefined {
    return this.endpoint.load;
  }
}
