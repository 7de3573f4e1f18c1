import type { ConnectionDataView, OpenConnection, ServiceMessage } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';

import { ClientConnection } from '../clients/client-connection.ts';
import type { ClientHost, HubRoute } from '../clients/host.ts';
import type { Clock } from '../clock.ts';
import { deferred } from '../deferred.ts';
import type { Deferred } from '../deferred.ts';
import { HubError } from '../errors.ts';
import type { Logger } from '../options.ts';
import { protocolsNamed } from '../protocols/index.ts';
import type { CompletionMessage, HubProtocol } from '../protocols/index.ts';
import { ClientAnswers } from '../sending/client-answers.ts';
import { ClientResults } from '../sending/client-results.ts';
import { Groups } from '../sending/groups.ts';
import { Outbound } from '../sending/outbound.ts';
import type { Sender } from '../sending/send-proxy.ts';
import type { Acks } from '../trunk/acks.ts';
import { ConnectionPool } from '../trunk/connection-pool.ts';
import type { PoolOptions } from '../trunk/connection-pool.ts';
import type { Receiver, ServerConnection } from '../trunk/server-connection.ts';
import { utf8 } from '../utf8.ts';
import { answerPing } from './pings.ts';

/** Headers of the service's own, compared in lower case (service protocol reference, 8.2). */
const MIGRATED_FROM = 'asrs-migrate-from';
const KEEP_ALIVE_MS = 5_000;

export interface HubHostOptions extends Omit<PoolOptions, 'receiver'> {
  readonly acks: Acks;
  /** Clients of the whole server, for the load report of keep-alive pings. */
  readonly totalClients: () => number;
}

/** One hub key: its server connections, its paths and its clients on this server. */
export class HubHost implements ClientHost, Receiver {
  readonly pool: ConnectionPool;
  readonly #options: HubHostOptions;
  readonly #routes = new Map<string, HubRoute>();
  readonly #clients = new Map<string, ClientConnection>();
  readonly #outbound: Outbound;
  readonly #results: ClientResults;
  readonly #answers: ClientAnswers;
  #protocols: readonly HubProtocol[] = [];
  #unfinished = 0;
  #idle: Deferred<void> | undefined;
  #nextKeepAlive = 0;

  constructor(options: HubHostOptions) {
    this.#options = options;
    this.pool = new ConnectionPool({ ...options, receiver: this });
    this.#results = new ClientResults(options.clock);
    this.#answers = new ClientAnswers(this.#results);
    this.#outbound = new Outbound({
      pool: this.pool,
      clients: this.#clients,
      protocols: () => this.#protocols,
    });
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  get logger(): Logger {
    return this.#options.logger;
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  addRoute(route: HubRoute): void {
    this.#routes.set(route.path, route);
    const names = [...this.#routes.values()].flatMap(({ protocols }) => protocols);
    this.#protocols = protocolsNamed(names.map(({ name }) => name));
  }

  /** To be called about every second. */
  tick(now: number): void {
    for (const client of this.#clients.values()) client.tick(now);
    if (now < this.#nextKeepAlive) return;
    this.#nextKeepAlive = now + KEEP_ALIVE_MS;
    const total = String(this.#options.totalClients());
    for (const connection of this.pool.connections()) {
      const own = String(this.#clientsOn(connection).length);
      connection.keepAlive(now, ['#clientInHub', total, '#client', own]);
    }
  }

  /** Resolves when no client is left and nothing that they set off is still running. */
  async idle(): Promise<void> {
    if (this.#clients.size === 0 && this.#unfinished === 0) return;
    this.#idle ??= deferred();
    await this.#idle.promise;
  }

  /** Ends the clients here, and here only: they live on at the service. */
  letGo(): void {
    for (const client of this.#clients.values()) client.gone();
  }

  sender(origin?: ClientConnection, beforeInvoke: () => void = () => {}): Sender {
    return {
      send: async (destination, target, args) => {
        if (destination !== undefined) this.#outbound.send(destination, target, args, origin);
      },
      invoke: async ({ connectionId, target, args, ...options }) => {
        beforeInvoke();
        return this.#results.request(connectionId, options, (invocationId) => {
          this.#outbound.invoke({ invocationId, connectionId, target, args }, origin);
        });
      },
    };
  }

  groupsFor(origin?: ClientConnection): Groups {
    return new Groups((change, connectionId, group) => {
      const carrier = origin ?? this.#clients.get(connectionId);
      const connection = this.#outbound.connectionFor(connectionId, carrier);
      const type = change === 'join' ? MessageType.JoinGroupWithAck : MessageType.LeaveGroupWithAck;
      return this.#options.acks.request(connection, this.clock.now(), (ackId) => {
        connection.send({ type, connectionId, group, ackId });
      });
    });
  }

  started(): void {
    this.#unfinished++;
  }

  finished(): void {
    this.#unfinished--;
    this.#checkIdle();
  }

  forget(client: ClientConnection): void {
    if (this.#clients.get(client.id) === client) this.#clients.delete(client.id);
    this.#answers.disconnected(client.id);
    this.#checkIdle();
  }

  answered(client: ClientConnection, message: CompletionMessage, record: Uint8Array): void {
    this.#answers.answered(client, message, record);
  }

  data(_connection: ServerConnection, bytes: Uint8Array, view: ConnectionDataView): void {
    const id = utf8(bytes, view.idStart, view.idEnd);
    this.#clients.get(id)?.receive(bytes.subarray(view.payloadStart, view.payloadEnd));
  }

  message(connection: ServerConnection, message: ServiceMessage): void {
    switch (message.type) {
      case MessageType.Ping:
        answerPing(message.entries, {
          reply: (entries) => connection.post({ type: MessageType.Ping, entries }),
          offline: (instanceId) => this.#instanceLost(connection, instanceId),
          finAcked: () => this.pool.finAcked(connection),
          target: (target) => this.pool.openOnDemand(target),
        });
        break;
      case MessageType.OpenConnection:
        this.#open(connection, message);
        break;
      case MessageType.CloseConnection:
        this.#clients.get(message.connectionId)?.gone();
        break;
      case MessageType.ConnectionData:
        this.#clients.get(message.connectionId)?.receive(message.payload);
        break;
      case MessageType.Ack:
        this.#options.acks.settle(message.ackId, message.status);
        break;
      case MessageType.ClientInvocation:
        if (this.#clients.has(message.connectionId)) this.#answers.routed(message);
        break;
      case MessageType.ClientCompletion:
        this.#answers.relayed(message);
        break;
      case MessageType.ErrorCompletion:
        this.#results.fail(message.invocationId, new HubError(message.error));
        break;
      case MessageType.ServiceEvent:
        this.logger.info(`service event about '${message.id}': ${message.message}`);
        break;
      case MessageType.ServiceError:
        this.logger.warn(`hub '${this.#options.hub}': the service reports ${message.errorMessage}`);
        void connection.close();
        break;
      default:
      // Nothing that a service says to this server, or nothing it has to act on.
    }
  }

  /** Its clients live on at the service, which moves or closes them: nothing can be sent for them. */
  closed(connection: ServerConnection): void {
    this.#options.acks.lost(connection);
    for (const client of this.#clientsOn(connection)) client.gone();
  }

  #open(trunk: ServerConnection, open: OpenConnection): void {
    // An id has one connection: if the service opens it again, the first is history.
    this.#clients.get(open.connectionId)?.gone();
    const migrated = headerOf(open, MIGRATED_FROM) !== undefined;
    const route = this.#routeOf(open);
    const client = new ClientConnection({ open, route, host: this, trunk, migrated });
    this.#clients.set(client.id, client);
  }

  /** By the path that the client negotiated at, where several share a hub key. */
  #routeOf(open: OpenConnection): HubRoute {
    const [first] = this.#routes.values();
    if (this.#routes.size === 1) return first!;
    const path = new URLSearchParams(open.queryString).get('asrs.op');
    return this.#routes.get(path ?? '') ?? first!;
  }

  /** A part of the service is gone, and the clients it held with it; an empty id means all. */
  #instanceLost(connection: ServerConnection, instanceId: string): void {
    for (const client of this.#clientsOn(connection)) {
      if (instanceId === '' || client.context.headers['asrs-instance-id'] === instanceId) {
        client.gone();
      }
    }
  }

  #clientsOn(connection: ServerConnection): ClientConnection[] {
    return [...this.#clients.values()].filter(({ trunk }) => trunk === connection);
  }

  #checkIdle(): void {
    if (this.#clients.size > 0 || this.#unfinished > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}

function headerOf(open: OpenConnection, lowerName: string): readonly string[] | undefined {
  for (const [name, values] of open.headers) if (name.toLowerCase() === lowerName) return values;
  return undefined;
}
