import type {
  ConnectionDataView,
  ConnectionFlowControl,
  OpenConnection,
  ServiceMessage,
  UnreadableMessage,
} from '@trunkline/protocol';
import { FlowControlOperation, FlowControlTarget, MessageType } from '@trunkline/protocol';

import { ClientConnection } from '../clients/client-connection.ts';
import type { ClientAnswers } from '../sending/client-answers.ts';
import type { Acks } from '../trunk/acks.ts';
import type { Receiver, ServerConnection } from '../trunk/server-connection.ts';
import { utf8 } from '../utf8.ts';
import type { HubClients } from './hub-clients.ts';
import type { HubHost } from './hub-host.ts';
import type { HubRoutes } from './hub-routes.ts';
import { answerPing } from './pings.ts';
import { passOver } from './unreadable.ts';

/** Headers of the service's own, compared in lower case (service protocol reference, 8.2). */
const MIGRATED_FROM = 'asrs-migrate-from';

/** Who wants to know what comes and goes. */
export interface HubObserver {
  serverConnectionUp(hub: HubHost, connection: ServerConnection): void;
  serverConnectionDown(hub: HubHost, connection: ServerConnection): void;
  connected(hub: HubHost, client: ClientConnection): void;
  disconnected(hub: HubHost, client: ClientConnection, error: Error | undefined): void;
}

export interface HubReceiverOptions {
  readonly host: HubHost;
  readonly clients: HubClients;
  readonly routes: HubRoutes;
  readonly acks: Acks;
  readonly answers: ClientAnswers;
  readonly observer: HubObserver;
}

/** What the service says on a hub's server connections, and what it means for the hub's clients. */
export class HubReceiver implements Receiver {
  readonly #options: HubReceiverOptions;

  constructor(options: HubReceiverOptions) {
    this.#options = options;
  }

  opened(connection: ServerConnection): void {
    const { host, answers, observer } = this.#options;
    host.endpoints.poolOf(connection).opened(connection);
    answers.opened(connection);
    observer.serverConnectionUp(host, connection);
  }

  data(connection: ServerConnection, bytes: Uint8Array, view: ConnectionDataView): void {
    const client = this.#clientOn(connection, utf8(bytes, view.idStart, view.idEnd));
    client?.receive(bytes.subarray(view.payloadStart, view.payloadEnd));
  }

  message(connection: ServerConnection, message: ServiceMessage): void {
    const { host, acks, answers } = this.#options;
    switch (message.type) {
      case MessageType.Ping:
        this.#ping(connection, message.entries);
        break;
      case MessageType.OpenConnection:
        this.#open(connection, message);
        break;
      case MessageType.CloseConnection:
        this.#clientOn(connection, message.connectionId)?.gone();
        break;
      case MessageType.ConnectionData:
        this.#clientOn(connection, message.connectionId)?.receive(message.payload);
        break;
      case MessageType.UpdateConnectionClaims:
        this.#clientOn(connection, message.connectionId)?.signedInAnew(message.claims);
        break;
      case MessageType.ConnectionFlowControl:
        this.#flow(connection, message);
        break;
      case MessageType.Ack:
        acks.settle(message);
        break;
      case MessageType.ClientInvocation:
        answers.routed(message, this.#client(message.connectionId));
        break;
      case MessageType.ClientCompletion:
        answers.relayed(message);
        break;
      case MessageType.ErrorCompletion:
        answers.refused(message);
        break;
      case MessageType.ServiceEvent:
        host.logger.info(`service event about '${message.id}': ${message.message}`);
        break;
      case MessageType.ServiceError:
        host.logger.warn(`hub '${host.hub}': the service reports ${message.errorMessage}`);
        void connection.close();
        break;
      default:
      // Nothing that a service says to this server, or nothing it has to act on.
    }
  }

  unreadable(connection: ServerConnection, message: UnreadableMessage): void {
    this.#options.host.unreadable(message.typeName, message.error.message);
    passOver(message, connection, this.#options);
  }

  /** Its clients live on at the service, which moves or closes them: nothing can be sent for them. */
  closed(connection: ServerConnection): void {
    const { host, clients, acks, answers, observer } = this.#options;
    acks.lost(connection);
    for (const client of clients.on(connection)) client.gone();
    answers.lost(connection);
    host.endpoints.poolOf(connection).closes++;
    observer.serverConnectionDown(host, connection);
  }

  #client(id: string): ClientConnection | undefined {
    return this.#options.clients.get(id);
  }

  /**
   * The client that the service has opened on this server connection. One that it has opened again on
   * another since, at another edge perhaps, is not ended by what comes late on the first.
   */
  #clientOn(connection: ServerConnection, id: string): ClientConnection | undefined {
    const client = this.#client(id);
    return client?.trunk === connection ? client : undefined;
  }

  #ping(connection: ServerConnection, entries: readonly string[]): void {
    const { endpoints } = this.#options.host;
    answerPing(entries, {
      reply: (echoed) => connection.post({ type: MessageType.Ping, entries: echoed }),
      offline: (instanceId) => this.#instanceLost(connection, instanceId),
      finAcked: () => endpoints.poolOf(connection).finAcked(connection),
      load: (reported) => (connection.endpoint.load = reported),
      target: (target) => endpoints.poolOf(connection).openOnDemand(target),
      edges: (report) => endpoints.poolOf(connection).reported(connection, report),
    });
  }

  #open(trunk: ServerConnection, open: OpenConnection): void {
    const { host, clients, routes } = this.#options;
    // An id has one connection: if the service opens it again, the first is history.
    this.#client(open.connectionId)?.gone();
    const migrated = headerOf(open, MIGRATED_FROM) !== undefined;
    clients.add(new ClientConnection({ open, route: routes.of(open), host, trunk, migrated }));
  }

  #flow(
    connection: ServerConnection,
    { connectionId, connectionType, operation }: ConnectionFlowControl,
  ): void {
    if (connectionType !== FlowControlTarget.Client) return;
    const streams = this.#clientOn(connection, connectionId)?.streams;
    if (operation === FlowControlOperation.Pause) streams?.pause();
    else if (operation === FlowControlOperation.Resume) streams?.resume();
  }

  /** A part of the service is gone, and the clients it held with it; an empty id means all. */
  #instanceLost(connection: ServerConnection, instanceId: string): void {
    for (const client of this.#options.clients.on(connection)) {
      if (instanceId === '' || client.context.headers['asrs-instance-id'] === instanceId) {
        client.gone();
      }
    }
  }
}

function headerOf(open: OpenConnection, lowerName: string): readonly string[] | undefined {
  for (const [name, values] of open.headers) if (name.toLowerCase() === lowerName) return values;
  return undefined;
}
