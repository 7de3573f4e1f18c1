import type {
  ConnectionDataView,
  ConnectionFlowControl,
  OpenConnection,
  ServiceMessage,
} from '@trunkline/protocol';
import { FlowControlOperation, FlowControlTarget, MessageType } from '@trunkline/protocol';

import { ClientConnection } from '../clients/client-connection.ts';
import type { ClientHost, HubRoute } from '../clients/host.ts';
import type { Clock } from '../clock.ts';
import { deferred } from '../deferred.ts';
import type { Deferred } from '../deferred.ts';
import { HubEndpoints } from '../endpoints/hub-endpoints.ts';
import type { HubEndpointsOptions } from '../endpoints/hub-endpoints.ts';
import { TrunklineError } from '../errors.ts';
import type { Logger } from '../options.ts';
import { protocolsNamed } from '../protocols/index.ts';
import type { CompletionMessage, HubProtocol } from '../protocols/index.ts';
import { ClientAnswers } from '../sending/client-answers.ts';
import { ClientResults } from '../sending/client-results.ts';
import { Groups } from '../sending/groups.ts';
import { Outbound } from '../sending/outbound.ts';
import type { Sender } from '../sending/send-proxy.ts';
import { tooOldToAnswer } from '../sending/too-old.ts';
import { noCounts } from '../telemetry/counts.ts';
import type { Acks } from '../trunk/acks.ts';
import { foundOnAny } from '../trunk/acks.ts';
import type { Receiver, ServerConnection } from '../trunk/server-connection.ts';
import { utf8 } from '../utf8.ts';
import { answerPing } from './pings.ts';

/** Headers of the service's own, compared in lower case (service protocol reference, 8.2). */
const MIGRATED_FROM = 'asrs-migrate-from';
const KEEP_ALIVE_MS = 5_000;

/** Who wants to know what comes and goes. */
export interface HubObserver {
  serverConnectionUp(hub: HubHost, connection: ServerConnection): void;
  serverConnectionDown(hub: HubHost, connection: ServerConnection): void;
  connected(hub: HubHost, client: ClientConnection): void;
  disconnected(hub: HubHost, client: ClientConnection, error: Error | undefined): void;
}

export interface HubHostOptions extends Omit<HubEndpointsOptions, 'receiver'> {
  readonly acks: Acks;
  readonly observer: HubObserver;
  /** Clients of the whole server, for the load report of keep-alive pings. */
  readonly totalClients: () => number;
}

/** One hub key: its server connections, its paths and its clients on this server. */
export class HubHost implements ClientHost, Receiver {
  readonly hub: string;
  readonly endpoints: HubEndpoints;
  readonly counts = noCounts();
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
    this.hub = options.hub;
    this.endpoints = new HubEndpoints({ ...options, receiver: this });
    this.#results = new ClientResults(options.clock);
    this.#answers = new ClientAnswers(this.#results);
    this.#outbound = new Outbound({
      endpoints: this.endpoints,
      clients: this.#clients,
      protocols: () => this.#protocols,
      counts: this.counts,
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
    this.endpoints.tick(now);
    if (now < this.#nextKeepAlive) return;
    this.#nextKeepAlive = now + KEEP_ALIVE_MS;
    const total = String(this.#options.totalClients());
    for (const connection of this.endpoints.connections()) {
      const own = String(connection.clients);
      connection.keepAlive(now, ['#clientInHub', total, '#client', own]);
    }
  }

  /** Resolves when no client is left and nothing that they set off is still running. */
  async idle(): Promise<void> {
    if (this.#clients.size === 0 && this.#unfinished === 0) return;
    this.#idle ??= deferred();
    await this.#idle.promise;
  }

  closeClients(): void {
    for (const client of this.#clients.values()) client.closeForRestart();
  }

  sender(origin?: ClientConnection, beforeInvoke: () => void = () => {}): Sender {
    return {
      send: async (destination, target, args) => {
        if (destination !== undefined) this.#outbound.send(destination, target, args, origin);
      },
      invoke: async (call) => {
        beforeInvoke();
        const client = this.#clients.get(call.connectionId);
        const tooOld = client && tooOldToAnswer(client);
        if (tooOld !== undefined) throw new TrunklineError('client-too-old', tooOld);
        return this.#results.request(call, (invocationId) => {
          return this.#outbound.invoke({ invocationId, ...call }, origin);
        });
      },
    };
  }

  groupsFor(origin?: ClientConnection): Groups {
    return new Groups(async (change, connectionId, group) => {
      const known = this.#clients.get(connectionId);
      const connections = this.endpoints.connectionsTo(connectionId, known, origin);
      const type = change === 'join' ? MessageType.JoinGroupWithAck : MessageType.LeaveGroupWithAck;
      const answers = connections.map((connection) =>
        this.#options.acks.request(connection, this.clock.now(), (ackId) => {
          connection.send({ type, connectionId, group, ackId });
        }),
      );
      // Not found is no error: the connection has gone, and its groups with it.
      await foundOnAny(answers);
    });
  }

  started(): void {
    this.#unfinished++;
  }

  finished(): void {
    this.#unfinished--;
    this.#checkIdle();
  }

  connected(client: ClientConnection): void {
    this.counts.connects++;
    this.#options.observer.connected(this, client);
  }

  disconnected(client: ClientConnection, error: Error | undefined): void {
    this.counts.disconnects++;
    this.#options.observer.disconnected(this, client, error);
  }

  forget(client: ClientConnection): void {
    if (this.#clients.get(client.id) === client) this.#clients.delete(client.id);
    client.trunk.clients--;
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
          finAcked: () => this.endpoints.poolOf(connection).finAcked(connection),
          load: (reported) => (connection.endpoint.load = reported),
          target: (target) => this.endpoints.poolOf(connection).openOnDemand(target),
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
      case MessageType.ConnectionFlowControl:
        this.#flow(message);
        break;
      case MessageType.Ack:
        this.#options.acks.settle(message.ackId, message.status);
        break;
      case MessageType.ClientInvocation:
        this.#answers.routed(message, this.#clients.get(message.connectionId));
        break;
      case MessageType.ClientCompletion:
        this.#answers.relayed(message);
        break;
      case MessageType.ErrorCompletion:
        this.#results.refused(
          message.invocationId,
          new TrunklineError('client-gone', message.error),
        );
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

  #flow({ connectionId, connectionType, operation }: ConnectionFlowControl): void {
    if (connectionType !== FlowControlTarget.Client) return;
    const streams = this.#clients.get(connectionId)?.streams;
    if (operation === FlowControlOperation.Pause) streams?.pause();
    else if (operation === FlowControlOperation.Resume) streams?.resume();
  }

  opened(connection: ServerConnection): void {
    this.#options.observer.serverConnectionUp(this, connection);
  }

  /** Its clients live on at the service, which moves or closes them: nothing can be sent for them. */
  closed(connection: ServerConnection): void {
    this.#options.acks.lost(connection);
    for (const client of this.#clientsOn(connection)) client.gone();
    this.endpoints.poolOf(connection).closes++;
    this.#options.observer.serverConnectionDown(this, connection);
  }

  #open(trunk: ServerConnection, open: OpenConnection): void {
    // An id has one connection: if the service opens it again, the first is history.
    this.#clients.get(open.connectionId)?.gone();
    const migrated = headerOf(open, MIGRATED_FROM) !== undefined;
    const route = this.#routeOf(open);
    const client = new ClientConnection({ open, route, host: this, trunk, migrated });
    this.#clients.set(client.id, client);
    trunk.clients++;
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
