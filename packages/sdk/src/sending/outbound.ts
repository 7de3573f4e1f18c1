import type { ClientCompletion, ClientInvocation, Payloads } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';

import type { ClientConnection } from '../clients/client-connection.ts';
import type { HubEndpoints } from '../endpoints/hub-endpoints.ts';
import type { HubClients } from '../hubs/hub-clients.ts';
import type { HubRoutes } from '../hubs/hub-routes.ts';
import type { HubCounts } from '../telemetry/counts.ts';
import { outgoingHeaders } from '../telemetry/tracing.ts';
import { SERVER_ID } from '../trunk/identity.ts';
import type { ServerConnection } from '../trunk/server-connection.ts';
import type { Question } from './client-results.ts';
import type { Destination } from './destination.ts';

export interface OutboundOptions {
  readonly endpoints: HubEndpoints;
  readonly clients: HubClients;
  readonly routes: HubRoutes;
  readonly counts: HubCounts;
}

/**
 * Which server connection a hub's sends take, and in which protocols (service protocol reference,
 * sections 14 and 20.5). What a client's hub sends takes the client's own connection, so that its
 * order is kept; other sends take one by their destination.
 */
export class Outbound {
  readonly #options: OutboundOptions;

  constructor(options: OutboundOptions) {
    this.#options = options;
  }

  /** Throws TrunklineError, and what the serializers throw. */
  send(destination: Destination, target: string, args: unknown[], origin?: ClientConnection): void {
    this.#options.counts.sends++;
    const local = this.#localTarget(destination);
    if (local?.protocol === undefined) {
      const payloads = this.#payloads(target, args);
      this.#options.endpoints.send({ ...destination, payloads }, origin);
    } else {
      const { trunk, protocol } = local;
      const record = protocol.invocation(target, args, undefined, outgoingHeaders());
      const payloads = new Map([[protocol.name, record]]);
      connectionTo(trunk, origin?.trunk).send({ ...destination, payloads });
    }
  }

  /**
   * Asks a client for an answer, which comes back under `invocationId` (service protocol reference,
   * section 11).
   */
  invoke(
    call: { invocationId: string; connectionId: string; target: string; args: unknown[] },
    origin?: ClientConnection,
  ): Question {
    const { invocationId, connectionId, target, args } = call;
    const message: ClientInvocation = {
      type: MessageType.ClientInvocation,
      invocationId,
      connectionId,
      callerServerId: SERVER_ID,
      payloads: this.#payloads(target, args, invocationId),
    };
    const { endpoints, clients } = this.#options;
    const known = clients.get(connectionId);
    const connections = endpoints.connectionsTo(connectionId, known, origin);
    for (const connection of connections) connection.send(message);
    const withdraw = () => {
      for (const connection of connections) connection.post(forgetCall(message));
    };
    const askedBy = known === undefined ? connections : [];
    return { endpoints: connections.length, askedBy, withdraw };
  }

  /** The one client that a message is for, when it is here. */
  #localTarget(destination: Destination): ClientConnection | undefined {
    if (destination.type !== MessageType.MultiConnectionData) return undefined;
    const [id, ...others] = destination.connectionIds;
    return id === undefined || others.length > 0 ? undefined : this.#options.clients.get(id);
  }

  #payloads(target: string, args: unknown[], invocationId?: string): Payloads {
    const payloads = new Map<string, Uint8Array>();
    const headers = outgoingHeaders();
    for (const protocol of this.#options.routes.protocols) {
      payloads.set(protocol.name, protocol.invocation(target, args, invocationId, headers));
    }
    return payloads;
  }
}

/** The way of what else the same hub sends, where it leads to the client, or else the client's own. */
function connectionTo(own: ServerConnection, origin: ServerConnection = own): ServerConnection {
  return origin.open && origin.endpoint === own.endpoint ? origin : own;
}

/** An answer without bytes only makes the service forget the call, whatever the protocol. */
function forgetCall({ invocationId, connectionId }: ClientInvocation): ClientCompletion {
  return {
    type: MessageType.ClientCompletion,
    invocationId,
    connectionId,
    callerServerId: SERVER_ID,
    protocol: 'json',
    payload: new Uint8Array(),
  };
}
