import type { EventEmitter } from 'node:events';

import type { ClientConnection } from '../clients/client-connection.ts';
import { errorMessage } from '../errors.ts';
import type { HubHost } from '../hubs/hub-host.ts';
import type { HubObserver } from '../hubs/hub-receiver.ts';
import { tellListeners } from '../listeners.ts';
import type { Logger } from '../options.ts';
import type { ServerConnection } from '../trunk/server-connection.ts';

/** A client connection, in an event. */
export interface ClientEvent {
  /** The hub key. */
  readonly hub: string;
  readonly connectionId: string;
  readonly userIdentifier: string | undefined;
  /** The name of the endpoint that holds it. */
  readonly endpoint: string;
}

/** A server connection, in an event. */
export interface ServerConnectionEvent {
  /** The hub key. */
  readonly hub: string;
  /** The endpoint's name. */
  readonly endpoint: string;
  /** How many the hub has to this endpoint now. */
  readonly open: number;
}

/** The events of a server, with what their listeners get. */
export interface ServerEvents {
  /** A client is there, its `onConnected` has succeeded. */
  connected: [client: ClientEvent];
  /** It has gone, its `onDisconnected` has ended. The error is the one that hook was told. */
  disconnected: [client: ClientEvent, error: Error | undefined];
  serverConnectionUp: [connection: ServerConnectionEvent];
  /** With why, where this side knows: when the service closed it, it does not. */
  serverConnectionDown: [connection: ServerConnectionEvent, fault: Error | undefined];
}

/** Tells listeners what hubs observe. One that throws or rejects is logged, and breaks nothing. */
export class Events implements HubObserver {
  readonly #emitter: EventEmitter<ServerEvents>;
  readonly #logger: Logger;

  constructor(emitter: EventEmitter<ServerEvents>, logger: Logger) {
    this.#emitter = emitter;
    this.#logger = logger;
  }

  connected(hub: HubHost, client: ClientConnection): void {
    this.#emit('connected', () => [clientEvent(hub, client)]);
  }

  disconnected(hub: HubHost, client: ClientConnection, error: Error | undefined): void {
    this.#emit('disconnected', () => [clientEvent(hub, client), error]);
  }

  serverConnectionUp(hub: HubHost, connection: ServerConnection): void {
    this.#emit('serverConnectionUp', () => [connectionEvent(hub, connection)]);
  }

  serverConnectionDown(hub: HubHost, connection: ServerConnection): void {
    const { fault } = connection;
    this.#emit('serverConnectionDown', () => [connectionEvent(hub, connection), fault]);
  }

  #emit<Name extends keyof ServerEvents>(name: Name, args: () => ServerEvents[Name]): void {
    if (this.#emitter.listenerCount(name) === 0) return;
    const listeners = this.#emitter.rawListeners(name);
    tellListeners(this.#emitter, listeners, args(), (error) => this.#failed(name, error));
  }

  #failed(name: string, error: unknown): void {
    this.#logger.error(`a listener of '${name}' threw: ${errorMessage(error)}`, error);
  }
}

function clientEvent({ hub }: HubHost, { id, context, trunk }: ClientConnection): ClientEvent {
  const { userIdentifier } = context;
  return { hub, connectionId: id, userIdentifier, endpoint: trunk.endpoint.name };
}

function connectionEvent(host: HubHost, connection: ServerConnection): ServerConnectionEvent {
  const open = host.endpoints
    .poolOf(connection)
    .connections()
    .filter((one) => one.open).length;
  return { hub: host.hub, endpoint: connection.endpoint.name, open };
}
