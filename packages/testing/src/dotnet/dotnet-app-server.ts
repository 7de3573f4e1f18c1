import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

import { MigrationLevel } from '@trunkline/protocol';
import { type ConnectionString, parseConnectionString } from '@trunkline/tokens';

import { type Clock, systemClock } from './clock.ts';
import { ClientTable } from './clients/client-table.ts';
import type { Environment } from './environment.ts';
import type { HubDefinition, HubOptions } from './hub/definition.ts';
import { HubServer } from './hub-server.ts';
import {
  negotiate,
  type NegotiateChoices,
  type NegotiateResult,
  type Principal,
  type StickyMode,
} from './negotiate.ts';
import { type ProfileName, PROFILES } from './profiles.ts';
import { Acks } from './sending/acks.ts';
import { ClientResults } from './sending/client-results.ts';
import { shutDown, type ShutdownMode } from './shutdown.ts';

const HEARTBEAT_MS = 1000;

export interface DotnetAppServerOptions {
  readonly connectionString: string;
  /** `1.34.0` when not given. */
  readonly profile?: ProfileName;
  /** In front of every hub key, with an underscore. */
  readonly applicationName?: string;
  /** `Off` when not given. */
  readonly shutdown?: ShutdownMode;
  /** Milliseconds that a graceful shutdown may take; 30,000 when not given. */
  readonly shutdownTimeout?: number;
  /** `InitialHubServerConnectionCount`; 5 when not given. */
  readonly connections?: number;
  /** `Disabled` when not given. */
  readonly sticky?: StickyMode;
  /** What the first question to a client has to wait for, before it is written down. */
  readonly compile?: () => Promise<void>;
  readonly clock?: Clock;
  /** Takes what the package would write to the app's log; nobody does when not given. */
  readonly log?: (line: string) => void;
}

/**
 * An app process on ASP.NET Core with the package `Microsoft.Azure.SignalR`, as the service sees it:
 * a stand-in of our own, written from what the real one was seen to do (service protocol reference,
 * section 20).
 */
export class DotnetAppServer {
  /** What no header can carry is left out of the machine's name. */
  readonly serverId = `${hostname().replace(/[^ -~]+/g, '-')}_${randomUUID().replaceAll('-', '')}`;
  readonly #options: DotnetAppServerOptions;
  readonly #endpoint: ConnectionString;
  readonly #environment: Environment;
  readonly #hubs: HubServer[] = [];
  readonly #acks: Acks[] = [];
  #cancelHeartbeat = (): void => {};

  constructor(options: DotnetAppServerOptions) {
    this.#options = options;
    this.#endpoint = parseConnectionString(options.connectionString);
    const profile = PROFILES[options.profile ?? '1.34.0'];
    this.#environment = {
      profile,
      clock: options.clock ?? systemClock,
      serverId: this.serverId,
      clients: new ClientTable(profile),
      results: new ClientResults(profile, this.serverId, options.compile),
      log: options.log ?? (() => {}),
    };
  }

  /** Maps a hub; to be done before `start`. The hub key is its name in lower case. */
  hub(name: string, definition: HubDefinition, options: HubOptions = {}): HubServer {
    const { applicationName, connections = 5, shutdown } = this.#options;
    const prefix = applicationName === undefined ? '' : `${applicationName}_`;
    const hub = new HubServer({
      environment: this.#environment,
      endpoint: this.#endpoint,
      key: `${prefix}${name}`.toLowerCase(),
      definition,
      options,
      acks: this.#acksOf(),
      connections,
      // The package has never been seen to say more.
      migrationLevel:
        shutdown === 'MigrateClients' ? MigrationLevel.ShutdownOnly : MigrationLevel.Off,
    });
    this.#hubs.push(hub);
    return hub;
  }

  /** Resolves when every hub has a server connection. */
  async start(): Promise<void> {
    const { clock, clients } = this.#environment;
    this.#cancelHeartbeat = clock.every(HEARTBEAT_MS, () => {
      for (const client of clients.running) client.tick();
    });
    await Promise.all(this.#hubs.map((hub) => hub.container.start()));
  }

  /** What SIGTERM does to the app. Resolves when it would end. */
  async stop(): Promise<void> {
    const { shutdown: mode = 'Off', shutdownTimeout: timeout = 30_000 } = this.#options;
    const { profile, clock, clients, log } = this.#environment;
    const containers = this.#hubs.map(({ container }) => container);
    await shutDown({ mode, timeout, profile, clock, clients, containers, log });
    this.#end();
  }

  /** What SIGKILL does to the app, as far as the service can tell. */
  kill(): void {
    for (const { container } of this.#hubs) container.drop();
    this.#end();
  }

  /** Answers `POST <path>/negotiate?<query>` for a user. */
  negotiate(
    hub: HubServer,
    path: string,
    query: string,
    principal: Principal,
    choices: NegotiateChoices = {},
  ): NegotiateResult {
    const { sticky = 'Disabled' } = this.#options;
    return negotiate({ hub, path, query, principal, sticky, ...choices }, this.#endpoint);
  }

  #acksOf(): Acks {
    const { profile, clock } = this.#environment;
    const known = profile.acksOfProcess ? this.#acks[0] : undefined;
    if (known !== undefined) return known;
    const acks = new Acks(clock, !profile.acksOfProcess);
    this.#acks.push(acks);
    return acks;
  }

  #end(): void {
    this.#cancelHeartbeat();
    for (const acks of this.#acks) acks.stop();
  }
}
