import type { EndpointType } from '../endpoints/endpoint.ts';
import type { Line } from '../endpoints/line.ts';
import type { HubHost } from '../hubs/hub-host.ts';

export interface EndpointHealth {
  readonly name: string;
  readonly type: EndpointType;
  /** Whether the hub has a server connection to it, and clients are sent there. */
  readonly online: boolean;
  /** Open server connections. */
  readonly serverConnections: number;
  /** Clients that this server serves there. */
  readonly clients: number;
}

export interface HubHealth {
  /** The hub key. */
  readonly hub: string;
  readonly clients: number;
  readonly endpoints: readonly EndpointHealth[];
}

export interface ServerHealth {
  /**
   * `up`: every hub is connected to every endpoint. `degraded`: to some. `down`: a hub is connected to
   * none, as before `start()`, so that it gets no clients. `stopped`: `stop()` was called.
   */
  readonly status: 'up' | 'degraded' | 'down' | 'stopped';
  /** Clients of this server, all hubs together. */
  readonly clients: number;
  readonly hubs: readonly HubHealth[];
}

/** How a server is, as of now. */
export function healthOf(hosts: readonly HubHost[], stopped: boolean): ServerHealth {
  const hubs = hosts.map(({ hub, clientCount, endpoints }) => ({
    hub,
    clients: clientCount,
    endpoints: endpoints.lines.map(endpointHealth),
  }));
  const clients = hubs.reduce((sum, hub) => sum + hub.clients, 0);
  return { status: stopped ? 'stopped' : statusOf(hubs), clients, hubs };
}

function statusOf(hubs: readonly HubHealth[]): ServerHealth['status'] {
  if (hubs.some(({ endpoints }) => !endpoints.some(({ online }) => online))) return 'down';
  return hubs.every(({ endpoints }) => endpoints.every(({ online }) => online)) ? 'up' : 'degraded';
}

function endpointHealth({ name, type, online, clients, pool }: Line): EndpointHealth {
  const serverConnections = pool.connections().filter(({ open }) => open).length;
  return { name, type, online, serverConnections, clients };
}
