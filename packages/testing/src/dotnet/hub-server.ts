import type { HandshakeRequest, MessageFromServer, MessageFromService } from '@trunkline/protocol';
import { ConnectionType, MessageType, PROTOCOL_VERSION } from '@trunkline/protocol';
import type { ConnectionString } from '@trunkline/tokens';

import type { ClientConnection } from './clients/client-connection.ts';
import type { Environment } from './environment.ts';
import { HUB_DEFAULTS, type HubDefinition, type HubOptions } from './hub/definition.ts';
import type { Acks } from './sending/acks.ts';
import { AuthRefresh } from './sending/auth-refresh.ts';
import { Clients } from './sending/clients.ts';
import { Groups } from './sending/groups.ts';
import { takeMessage } from './take-message.ts';
import { Container } from './trunk/container.ts';
import { dial } from './trunk/dial.ts';
import { ServerConnection } from './trunk/server-connection.ts';

export interface HubServerOptions {
  readonly environment: Environment;
  readonly endpoint: ConnectionString;
  /** In lower case, with the application's prefix. */
  readonly key: string;
  readonly definition: HubDefinition;
  readonly options: HubOptions;
  readonly acks: Acks;
  readonly connections: number;
  /** What the handshake says. */
  readonly migrationLevel: number;
  /** Its connections only send, and are given no clients; they are when not given. */
  readonly weak?: boolean;
}

/** One hub of an app process: its server connections, and `IHubContext`. */
export class HubServer {
  readonly environment: Environment;
  readonly key: string;
  readonly definition: HubDefinition;
  readonly options: Required<HubOptions>;
  readonly acks: Acks;
  readonly container: Container;
  readonly clients: Clients;
  readonly groups: Groups;
  readonly authRefresh: AuthRefresh;
  readonly isWeak: boolean;
  readonly #endpoint: ConnectionString;
  readonly #migrationLevel: number;

  constructor(options: HubServerOptions) {
    const { environment } = options;
    this.environment = environment;
    this.key = options.key;
    this.definition = options.definition;
    this.options = { ...HUB_DEFAULTS, ...options.options };
    this.acks = options.acks;
    this.isWeak = options.weak ?? false;
    this.#endpoint = options.endpoint;
    this.#migrationLevel = options.migrationLevel;
    this.clients = new Clients(this);
    this.groups = new Groups(this);
    this.authRefresh = new AuthRefresh(this);
    this.container = new Container({
      clock: environment.clock,
      count: options.connections,
      partitions: environment.profile.partitions,
      connect: (target) => this.#connect(target),
    });
  }

  /** The connection of the client whose call this is; outside one, the container's choice. */
  connectionFor(caller: ClientConnection | undefined, key?: string): ServerConnection {
    return caller?.server.isWritable === true ? caller.server : this.container.pick(key);
  }

  /** A client of this hub and process. */
  localClient(id: string): ClientConnection | undefined {
    const client = this.environment.clients.get(id);
    return client?.hub === this && client.server.isWritable ? client : undefined;
  }

  /** Writes a message that the service acknowledges; resolves to whether it has found what was named. */
  request(message: (ackId: number) => MessageFromServer, key?: string): Promise<boolean> {
    return this.acks.request((ackId) => {
      this.connectionFor(undefined, key).write(message(ackId));
    });
  }

  #connect(target: string | undefined): ServerConnection {
    const { profile, clock, serverId, clients, log } = this.environment;
    return new ServerConnection({
      dial: dial(this.#endpoint, profile, this.key, serverId, target),
      clock,
      handshake: this.#handshake(target),
      log,
      load: (connection) => [clients.size, connection.clients.size],
      received: (message: MessageFromService, connection) => takeMessage(message, connection, this),
      lost: (connection) => this.#lost(connection),
    });
  }

  #handshake(target: string | undefined): HandshakeRequest {
    const { profile } = this.environment;
    const { allowStatefulReconnects } = this.options;
    return {
      type: MessageType.HandshakeRequest,
      version: PROTOCOL_VERSION,
      connectionType: this.#connectionType(target),
      // The URL alone names the service instance (section 6).
      target: '',
      migrationLevel: this.#migrationLevel,
      ...(profile.saysStatefulReconnect ? { allowStatefulReconnects } : {}),
    };
  }

  #connectionType(target: string | undefined): number {
    if (this.isWeak) return ConnectionType.Weak;
    return target === undefined ? ConnectionType.Default : ConnectionType.OnDemand;
  }

  /** Its clients end without a word, and another connection takes its place (section 7.7). */
  #lost(connection: ServerConnection): void {
    for (const id of connection.clients.keys()) void this.environment.clients.remove(id)?.end();
    connection.clients.clear();
    this.container.lost(connection);
  }
}
