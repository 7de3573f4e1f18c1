import { MessageType } from '@trunkline/protocol';

import type { Destination } from '../sending/destination.ts';
import type { EndpointLoad, EndpointType } from './endpoint.ts';

/** An endpoint as one hub has it; what it tells is always current. */
export interface HubEndpoint {
  readonly name: string;
  readonly type: EndpointType;
  /** Whether the hub has a server connection to it. */
  readonly online: boolean;
  /** Clients that this server serves there, of this hub. */
  readonly clients: number;
  /** What the endpoint reports of itself; undefined where it reports nothing. */
  readonly load: EndpointLoad | undefined;
}

/** A client that negotiates. `request` is of whichever framework the app uses. */
export interface NegotiatingClient {
  /** The hub key. */
  readonly hub: string;
  readonly userId: string | undefined;
  readonly request: unknown;
}

/** Whom a message is for; `names` are connection ids, group names or user ids. */
export type SendTarget =
  | { readonly kind: 'all' }
  | { readonly kind: 'connections' | 'groups' | 'users'; readonly names: readonly string[] };

/** Chooses endpoints where there are several. What a router leaves out is done as by default. */
export interface EndpointRouter {
  /**
   * Where a client is sent, of those online; undefined answers 503. Default: a primary endpoint, or
   * a secondary one while no primary is online, by chance weighted by how much room each has.
   */
  negotiate?(
    client: NegotiatingClient,
    online: readonly HubEndpoint[],
  ): HubEndpoint | undefined | Promise<HubEndpoint | undefined>;
  /** Where a message goes; an endpoint that is not online is passed over. Default: to all. */
  send?(target: SendTarget, endpoints: readonly HubEndpoint[]): readonly HubEndpoint[];
}

/** Where a client is sent by default. `random` gives numbers from 0 up to 1. */
export function roomiest<E extends HubEndpoint>(
  online: readonly E[],
  random: () => number = Math.random,
): E | undefined {
  const primaries = online.filter(({ type }) => type === 'primary');
  const candidates = primaries.length > 0 ? primaries : online;
  const weights = roomOf(candidates);
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [at, endpoint] of candidates.entries()) {
    left -= weights[at]!;
    if (left < 0) return endpoint;
  }
  return candidates.at(-1);
}

/**
 * The room that each has. Where all report a capacity it is what they have left, as in .NET (service
 * protocol reference, section 4). Else this server's own clients tell: the more an endpoint has of
 * them against the others, the fewer it gets, so that after an outage they even out again.
 */
function roomOf(endpoints: readonly HubEndpoint[]): number[] {
  const left = endpoints.map(({ load }) =>
    load === undefined || load.capacity === 0
      ? undefined
      : Math.max(0, load.capacity - load.clients - load.servers),
  );
  if (left.every((room) => room !== undefined) && left.some((room) => room > 0)) return left;
  const all = endpoints.reduce((sum, { clients }) => sum + clients, 0);
  return endpoints.map(({ clients }) => all - clients + 1);
}

/** A destination in a router's words. */
export function sendTarget(destination: Destination): SendTarget {
  switch (destination.type) {
    case MessageType.BroadcastData:
      return { kind: 'all' };
    case MessageType.MultiConnectionData:
      return { kind: 'connections', names: destination.connectionIds };
    case MessageType.GroupBroadcastData:
      return { kind: 'groups', names: [destination.group] };
    case MessageType.MultiGroupBroadcastData:
      return { kind: 'groups', names: destination.groups };
    case MessageType.UserData:
      return { kind: 'users', names: [destination.userId] };
    case MessageType.MultiUserData:
      return { kind: 'users', names: destination.userIds };
  }
}
