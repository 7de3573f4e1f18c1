import type { Budget } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';

import type { ClientConnection } from '../clients/client-connection.ts';
import type { ClientHost, HubRoute } from '../clients/host.ts';
import type { Clock } from '../clock.ts';
import type { Wording } from '../counted-log.ts';
import { CountedLog } from '../counted-log.ts';
import { HubEndpoints } from '../endpoints/hub-endpoints.ts';
import type { HubEndpointsOptions } from '../endpoints/hub-endpoints.ts';
import { TrunklineError } from '../errors.ts';
import { ServiceManager } from '../management/service-manager.ts';
import { ServiceRequests } from '../management/service-requests.ts';
import type { Logger, Migration } from '../options.ts';
import { EndpointDirectories } from '../presence/endpoint-directories.ts';
import type { CompletionMessage } from '../protocols/index.ts';
import { ClientAnswers } from '../sending/client-answers.ts';
import { ClientResults } from '../sending/client-results.ts';
import { Outbound } from '../sending/outbound.ts';
import type { Sender } from '../sending/send-proxy.ts';
import { whyNotAsked } from '../sending/too-old.ts';
import { noCounts } from '../telemetry/counts.ts';
import type { Acks } from '../trunk/acks.ts';
import { HubClients } from './hub-clients.ts';
import type { HubObserver } from './hub-receiver.ts';
import { HubReceiver } from './hub-receiver.ts';
import { HubRoutes } from './hub-routes.ts';

const KEEP_ALIVE_MS = 5_000;

/** Of methods, whose arguments the app's schemas refuse. */
const REFUSALS: Wording = {
  one: (method) => `a call of '${method}' was refused`,
  more: (method, count) => `${count} more calls of '${method}' were refused, the last`,
};
/** Of calls without an invocation id, whichever methods they are of. */
const UNANSWERED: Wording = {
  one: () => 'a call that nobody waits for was refused',
  more: (_kind, count) => `${count} more calls that nobody waits for were refused, the last`,
};
/** Of the service's messages, by the names of their types. */
const UNREADABLE: Wording = {
  one: (type) => `a message of the service cannot be read (${type})`,
  more: (type, count) =>
    `${count} more messages of the service could not be read (${type}), the last`,
};

export interface HubHostOptions extends Omit<HubEndpointsOptions, 'receiver' | 'offer'> {
  readonly acks: Acks;
  /** Of the whole server. */
  readonly pending: Budget<ClientConnection>;
  readonly observer: HubObserver;
  /** Clients of the whole server, for the load report of keep-alive pings. */
  readonly totalClients: () => number;
}

/** One hub key: its server connections, its paths, its clients on this server, and what it sends. */
export class HubHost implements ClientHost {
  readonly hub: string;
  readonly endpoints: HubEndpoints;
  readonly directories: EndpointDirectories;
  readonly counts = noCounts();
  readonly #options: HubHostOptions;
  readonly #routes = new HubRoutes();
  readonly #clients = new HubClients();
  readonly #outbound: Outbound;
  readonly #results: ClientResults;
  readonly #answers: ClientAnswers;
  readonly #refusals: CountedLog;
  readonly #unanswered: CountedLog;
  readonly #unreadable: CountedLog;
  #nextKeepAlive = 0;

  constructor(options: HubHostOptions) {
    this.#options = options;
    this.hub = options.hub;
    const { hub, clock, logger } = options;
    const warn = (line: string) => logger.warn(line);
    this.#refusals = new CountedLog(hub, warn, REFUSALS);
    this.#unanswered = new CountedLog(hub, (line) => logger.info(line), UNANSWERED);
    this.#unreadable = new CountedLog(hub, warn, UNREADABLE);
    this.#results = new ClientResults(options.clock);
    this.#answers = new ClientAnswers(this.#results, this.#routes);
    const { acks, observer } = options;
    const [clients, routes, answers] = [this.#clients, this.#routes, this.#answers];
    const receiver = new HubReceiver({ host: this, clients, routes, acks, answers, observer });
    const offer = () => routes.offer;
    this.endpoints = new HubEndpoints({ ...options, receiver, offer });
    const { endpoints, counts } = this;
    this.directories = new EndpointDirectories({ hub, endpoints, clock, logger });
    this.#outbound = new Outbound({ endpoints, clients, routes, counts });
  }

  get migration(): Migration {
    return this.#options.migration;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  get pending(): Budget<ClientConnection> {
    return this.#options.pending;
  }

  get logger(): Logger {
    return this.#options.logger;
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  addRoute(route: HubRoute): void {
    this.#routes.add(route);
  }

  /** To be called about every second. */
  tick(now: number): void {
    for (const client of this.#clients) client.tick(now);
    this.endpoints.tick(now);
    this.#refusals.expire(now);
    this.#unanswered.expire(now);
    this.#unreadable.expire(now);
    if (now < this.#nextKeepAlive) return;
    this.#nextKeepAlive = now + KEEP_ALIVE_MS;
    const total = String(this.#options.totalClients());
    for (const connection of this.endpoints.connections()) {
      const own = String(connection.clients);
      connection.keepAlive(now, ['#clientInHub', total, '#client', own]);
    }
  }

  /** Resolves when no client is left and nothing that they set off is still running. */
  idle(): Promise<void> {
    return this.#clients.idle();
  }

  /** Ends the clients here, and here only: they live on at the service. */
  letGo(): void {
    for (const client of this.#clients) client.gone();
  }

  sender(origin?: ClientConnection, beforeInvoke: () => void = () => {}): Sender {
    return {
      send: async (destination, target, args) => {
        if (destination !== undefined) this.#outbound.send(destination, target, args, origin);
      },
      invoke: async (call) => {
        beforeInvoke();
        const client = this.#clients.get(call.connectionId);
        const why = client && whyNotAsked(client);
        if (why !== undefined) throw new TrunklineError('client-too-old', why);
        return this.#results.request(call, (invocationId) => {
          return this.#outbound.invoke({ invocationId, ...call }, origin);
        });
      },
    };
  }

  managerFor(origin?: ClientConnection): ServiceManager {
    return new ServiceManager(this.requestsFor(origin));
  }

  requestsFor(origin?: ClientConnection): ServiceRequests {
    const { endpoints, clock, directories } = this;
    const { acks } = this.#options;
    const clients = this.#clients;
    return new ServiceRequests({ endpoints, clients, acks, clock, directories }, origin);
  }

  /** The service answers what it is asked in its turn, so any question will do. */
  async caughtUp({ id: connectionId, trunk }: ClientConnection): Promise<void> {
    const type = MessageType.CheckConnectionExistenceWithAck;
    const answer = this.#options.acks.ask('asking', trunk, this.clock.now(), (ackId) => {
      trunk.post({ type, connectionId, ackId });
    });
    await answer.catch(() => {});
  }

  refused(method: string, why: string): void {
    this.#refusals.tell(method, why, this.clock.now());
  }

  unanswered(why: string): void {
    this.#unanswered.tell('call', why, this.clock.now());
  }

  /** The service has sent a message of this type that cannot be read. */
  unreadable(type: string, why: string): void {
    this.counts.unreadable++;
    this.#unreadable.tell(type, why, this.clock.now());
  }

  started(): void {
    this.#clients.started();
  }

  finished(): void {
    this.#clients.finished();
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
    this.#answers.disconnected(client.id);
    this.#clients.delete(client);
  }

  answered(client: ClientConnection, message: CompletionMessage, record: Uint8Array): void {
    this.#answers.answered(client, message, record);
  }
}
