import type { Ack, MessageFromServer } from '@trunkline/protocol';
import { AckStatus } from '@trunkline/protocol';

import type { ClientConnection } from '../clients/client-connection.ts';
import type { Clock } from '../clock.ts';
import type { Flow, HubEndpoints } from '../endpoints/hub-endpoints.ts';
import type { Line } from '../endpoints/line.ts';
import type { SendTarget } from '../endpoints/router.ts';
import type { HubClients } from '../hubs/hub-clients.ts';
import type { Directories } from '../presence/directory.ts';
import type { Acks } from '../trunk/acks.ts';
import { doneOnAll, foundOnAny } from '../trunk/acks.ts';
import type { ServerConnection } from '../trunk/server-connection.ts';

type Acked = Extract<MessageFromServer, { readonly ackId: number }>;
type WithoutAckId<Message> = Message extends Acked ? Omit<Message, 'ackId'> : never;

/** Something that the service is asked and confirms. */
export interface ServiceRequest {
  readonly message: WithoutAckId<Acked>;
  /** For errors: what is not known to have been done, "closing the user's connections". */
  readonly what: string;
}

export interface ServiceRequestsOptions {
  readonly endpoints: HubEndpoints;
  readonly clients: HubClients;
  readonly acks: Acks;
  readonly clock: Clock;
  readonly directories: Directories;
}

/**
 * Asks the service about a hub's clients, at each endpoint where they can be, and waits for the acks.
 * What is asked for a client, `origin`, takes that client's own server connection, in order with what
 * its hub sends. Everything rejects with TrunklineError: `not-connected`, `outbound-full`, and
 * `ack-timeout` where the service did not confirm within 10 s, or could not.
 */
export class ServiceRequests {
  readonly #options: ServiceRequestsOptions;
  readonly #origin: Flow | undefined;

  constructor(options: ServiceRequestsOptions, origin?: Flow) {
    this.#options = options;
    this.#origin = origin;
  }

  /** What the same endpoints tell by REST. */
  get directories(): Directories {
    return this.#options.directories;
  }

  /** The client, where this server has it. */
  clientHere(connectionId: string): ClientConnection | undefined {
    return this.#options.clients.get(connectionId);
  }

  /** The server connections on which the service is told of one client connection. */
  connectionsTo(connectionId: string): ServerConnection[] {
    const { clients, endpoints } = this.#options;
    return endpoints.connectionsTo(connectionId, clients.get(connectionId), this.#origin);
  }

  /** Of one client connection, which is at one endpoint at most: whether it was there. */
  async ofConnection(connectionId: string, request: ServiceRequest): Promise<boolean> {
    const connections = this.connectionsTo(connectionId);
    return foundOnAny(connections.map((connection) => this.#found(connection, request)));
  }

  /** Whether any endpoint says yes. */
  async onAny(target: SendTarget, request: ServiceRequest): Promise<boolean> {
    return foundOnAny(this.#everywhere(target, request));
  }

  /** Something to be done at every endpoint. */
  async onAll(target: SendTarget, request: ServiceRequest): Promise<void> {
    await doneOnAll(this.#everywhere(target, request));
  }

  /** The online endpoints that a question is for. */
  linesAbout(target: SendTarget): readonly Line[] {
    return this.#options.endpoints.linesAbout(target);
  }

  /** Asks one endpoint, for what its ack carries. */
  async at(line: Line, key: string, request: ServiceRequest): Promise<Ack> {
    return this.#ask(this.#options.endpoints.connectionAt(line, key, this.#origin), request);
  }

  #everywhere(target: SendTarget, request: ServiceRequest): Promise<boolean>[] {
    const { endpoints } = this.#options;
    const key = target.kind === 'all' ? '' : (target.names[0] ?? '');
    return this.linesAbout(target).map((line) =>
      this.#found(endpoints.connectionAt(line, key, this.#origin), request),
    );
  }

  async #found(connection: ServerConnection, request: ServiceRequest): Promise<boolean> {
    return (await this.#ask(connection, request)).status === AckStatus.Ok;
  }

  #ask(connection: ServerConnection, { message, what }: ServiceRequest): Promise<Ack> {
    const { acks, clock } = this.#options;
    return acks.ask(what, connection, clock.now(), (ackId) =>
      connection.send({ ...message, ackId }),
    );
  }
}
