import type { Claims } from '@trunkline/tokens';
import { mintClientToken } from '@trunkline/tokens';

import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import { connectionStringOf } from '../connection-string.ts';
import { badOptions } from '../errors.ts';
import { guardedLogger } from '../guarded-logger.ts';
import { checkedApplicationName, hubKey } from '../hubs/hub-key.ts';
import type { CloseAllOptions, CloseOptions, HubManager } from '../management/hub-manager.ts';
import { tokenClaims } from '../negotiate/options.ts';
import type { TokenOptions } from '../negotiate/options.ts';
import { checkOptions } from '../option-tables/check.ts';
import {
  CLIENT_OPTIONS,
  CLOSE_ALL_OPTIONS,
  CLOSE_OPTIONS,
  MANAGER_OPTIONS,
} from '../option-tables/tables.ts';
import { quietConsole } from '../options.ts';
import type { Directories } from '../presence/directory.ts';
import { HubConnections } from '../presence/hub-connections.ts';
import type { PresenceOptions } from '../presence/presence.ts';
import { Presence } from '../presence/presence.ts';
import { RestDirectory } from '../presence/rest-directory.ts';
import { Watches } from '../presence/watches.ts';
import type { UntypedClient } from '../sending/clients.ts';
import { Clients } from '../sending/clients.ts';
import { Service } from '../trunk/service.ts';
import { unheeded } from '../unheeded.ts';
import { RestGroups, RestUserGroups } from './rest-groups.ts';
import type { AbsentCode } from './rest-api.ts';
import type { RestPath } from './rest-client.ts';
import { path, RestClient } from './rest-client.ts';
import { excluded, RestSender } from './rest-sender.ts';

const TIMEOUT_MS = 30_000;
const HEALTH_TIMEOUT_MS = 2_000;

export interface ManagerOptions {
  /**
   * Default: the environment's TRUNKLINE_CONNECTION_STRING, or what is in the file that its
   * TRUNKLINE_CONNECTION_STRING_FILE names.
   */
  readonly connectionString?: string | undefined;
  /** As `createServer`'s: goes before every hub's name. Default: none. */
  readonly applicationName?: string | undefined;
  /** Milliseconds that a call may take, second tries included. Default 30 s. */
  readonly timeout?: number;
}

/** Who a client is; as in negotiate's options, but for this one. */
export interface ClientOptions extends TokenOptions {
  readonly userId?: string;
  readonly claims?: Claims;
  /** When its sign-in ends, and its connection is closed. */
  readonly expiresAt?: Date;
}

/**
 * Sends to the clients of a service, and manages them, without being a hub server: every call is one
 * HTTP request. Throws TrunklineError `bad-options` and ConnectionStringError.
 */
export function createManager(options: ManagerOptions = {}): Manager {
  return new Manager(options);
}

/** See `createManager`. */
export class Manager {
  readonly #service: Service;
  readonly #client: RestClient;
  readonly #applicationName: string | undefined;

  constructor(options: ManagerOptions, clock: Clock = systemClock, random = Math.random) {
    checkOptions('createManager', MANAGER_OPTIONS, options);
    const timeout = options.timeout ?? TIMEOUT_MS;
    const service = new Service(connectionStringOf(options));
    this.#service = service;
    this.#applicationName = checkedApplicationName(options.applicationName);
    this.#client = new RestClient({ service, timeout, clock, random });
  }

  /** A hub by its name, in which case does not matter. Throws TrunklineError `bad-options`. */
  hub<Client = UntypedClient>(name: string): ManagedHub<Client> {
    const key = hubKey(name, this.#applicationName);
    if (key !== undefined) return new ManagedHub(this.#service, this.#client, key);
    throw badOptions(`'${name}' is no hub name`);
  }

  /** Whether the service answers within 2 s, and says that it is well. */
  async isHealthy(): Promise<boolean> {
    const answer = await this.#client.once(
      { method: 'HEAD', path: path('health', {}) },
      HEALTH_TIMEOUT_MS,
    );
    return !(answer instanceof Error) && answer.status < 300;
  }
}

/**
 * One hub of a service. Whatever it is asked resolves when the service has answered, and rejects with
 * TrunklineError: `unauthorized`, `refused`, or `throttled` and `unavailable` when the call's time is
 * over. (REST reference, sections 1 and 2.3.)
 */
export class ManagedHub<Client> implements HubManager {
  /** Sends, which resolve when the service has accepted them, whether or not anybody is there. */
  readonly clients: Clients<Client>;
  readonly groups: RestGroups;
  readonly userGroups: RestUserGroups;
  /** How many connections the hub, a group or a user has, and which. */
  readonly connections: HubConnections;
  readonly #directories: Directories;
  readonly #service: Service;
  readonly #client: RestClient;
  readonly #hub: string;

  constructor(service: Service, client: RestClient, hub: string) {
    const directory = new RestDirectory(service.address.endpoint, client, hub);
    const about = () => [directory];
    const logger = guardedLogger(quietConsole);
    this.#directories = { about, clock: client.clock, logger, watches: new Watches() };
    this.connections = new HubConnections(this.#directories);
    this.clients = new Clients(new RestSender(client, hub));
    this.groups = new RestGroups(client, hub);
    this.userGroups = new RestUserGroups(client, hub);
    this.#service = service;
    this.#client = client;
    this.#hub = hub;
  }

  async connectionExists(connectionId: string): Promise<boolean> {
    const absent = 'Warning.Connection.NotExisted';
    return this.#exists(
      path('hubs/{hub}/connections/{connectionId}', { hub: this.#hub, connectionId }),
      absent,
    );
  }

  /** Whether any connection is in the group. */
  async groupExists(group: string): Promise<boolean> {
    return this.#exists(
      path('hubs/{hub}/groups/{group}', { hub: this.#hub, group }),
      'Warning.Group.NotExisted',
    );
  }

  /** Whether the user has any connection. */
  async userExists(userId: string): Promise<boolean> {
    return this.#exists(
      path('hubs/{hub}/users/{user}', { hub: this.#hub, user: userId }),
      'Warning.User.NotExisted',
    );
  }

  /** Who is in a group, and who joins and leaves it. */
  presence(group: string, options: PresenceOptions = {}): Presence {
    return new Presence(this.#directories, group, options);
  }

  /** Nothing happens when it does not exist. */
  closeConnection(connectionId: string, options: CloseOptions = {}): Promise<void> {
    return unheeded(this.#closeConnection(connectionId, options));
  }

  closeAll(options: CloseAllOptions = {}): Promise<void> {
    const address = () => path('hubs/{hub}/:closeConnections', { hub: this.#hub });
    return unheeded(this.#close('closeAll', address, options));
  }

  closeGroup(group: string, options: CloseAllOptions = {}): Promise<void> {
    const names = { hub: this.#hub, group };
    const address = () => path('hubs/{hub}/groups/{group}/:closeConnections', names);
    return unheeded(this.#close('closeGroup', address, options));
  }

  closeUser(userId: string, options: CloseAllOptions = {}): Promise<void> {
    const names = { hub: this.#hub, user: userId };
    const address = () => path('hubs/{hub}/users/{user}/:closeConnections', names);
    return unheeded(this.#close('closeUser', address, options));
  }

  /**
   * What a client connects with: answer it, as JSON, to its `POST <your path>/negotiate`. Makes no
   * call. Throws TokenTooLongError and ClaimError.
   */
  negotiate(options: ClientOptions = {}): { readonly url: string; readonly accessToken: string } {
    checkOptions('negotiate', CLIENT_OPTIONS, options);
    const { accessKey, audienceBase, clientEndpoint } = this.#service.address;
    const hub = this.#hub;
    const accessToken = mintClientToken({
      key: accessKey,
      audienceBase,
      hub,
      userId: options.userId,
      claims: options.claims,
      lifetimeSeconds: options.tokenLifetimeSeconds,
      system: tokenClaims(options, options.expiresAt),
    });
    return { url: `${clientEndpoint}client/?hub=${encodeURIComponent(hub)}`, accessToken };
  }

  async #exists(address: RestPath<Checks>, absent: AbsentCode): Promise<boolean> {
    return (await this.#client.call({ method: 'HEAD', path: address, absent })) !== undefined;
  }

  async #closeConnection(connectionId: string, options: CloseOptions): Promise<void> {
    checkOptions('closeConnection', CLOSE_OPTIONS, options);
    await this.#client.call({
      method: 'DELETE',
      path: path('hubs/{hub}/connections/{connectionId}', { hub: this.#hub, connectionId }),
      query: reasonQuery(options.reason),
      absent: 'Warning.Connection.NotExisted',
    });
  }

  /** `address` may throw, as `path` does. */
  async #close(
    door: string,
    address: () => RestPath<Closes>,
    options: CloseAllOptions,
  ): Promise<void> {
    checkOptions(door, CLOSE_ALL_OPTIONS, options);
    const { except = [], reason } = options;
    const query = [...excluded([except].flat()), ...reasonQuery(reason)];
    await this.#client.call({ method: 'POST', path: address(), query });
  }
}

type Checks =
  | 'hubs/{hub}/connections/{connectionId}'
  | 'hubs/{hub}/groups/{group}'
  | 'hubs/{hub}/users/{user}';
type Closes =
  | 'hubs/{hub}/:closeConnections'
  | 'hubs/{hub}/groups/{group}/:closeConnections'
  | 'hubs/{hub}/users/{user}/:closeConnections';

function reasonQuery(reason: string | undefined): ['reason', string][] {
  return reason === undefined ? [] : [['reason', reason]];
}
