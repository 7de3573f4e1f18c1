import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';

import { MigrationLevel } from '@trunkline/protocol';
import {
  DEVELOPMENT_ACCESS_KEY,
  formatConnectionString,
  parseConnectionString,
} from '@trunkline/tokens';

import { systemClock } from './clock.ts';
import { ClientTable } from './clients/client-table.ts';
import { HubServer } from './hub-server.ts';
import { PROFILES } from './profiles.ts';
import { Acks } from './sending/acks.ts';
import { ClientManager } from './sending/client-manager.ts';
import { ClientResults } from './sending/client-results.ts';
import type { Clients } from './sending/clients.ts';
import type { Groups } from './sending/groups.ts';
import { UserGroups } from './sending/user-groups.ts';

/** What a fresh process of 1.34.0 was seen to take for its first question (section 21.2). */
const COMPILE_MS = 20;

/**
 * A process with the package `Microsoft.Azure.SignalR.Management` whose transport is `Persistent`, as
 * the service sees it: a weak server connection of one hub, on which it sends and asks, and is given no
 * clients.
 */
export class DotnetManager implements AsyncDisposable {
  readonly clients: Clients;
  readonly groups: Groups;
  readonly userGroups: UserGroups;
  readonly clientManager: ClientManager;
  /** What the package would write to its log: clients that it was given, and all that goes wrong. */
  readonly log: readonly string[];
  readonly #hub: HubServer;
  readonly #acks: Acks;

  /** Resolves when it is connected. */
  static async connect(edgeUrl: string, hub: string, connections = 1): Promise<DotnetManager> {
    const manager = new DotnetManager(edgeUrl, hub, connections);
    await manager.#hub.container.start();
    return manager;
  }

  private constructor(edgeUrl: string, hub: string, connections: number) {
    const profile = {
      ...PROFILES['1.34.0'],
      product: 'Microsoft.Azure.SignalR.Management/1.34.0',
    };
    const serverId = randomUUID().replaceAll('-', '');
    const log: string[] = [];
    this.log = log;
    this.#acks = new Acks(systemClock, false);
    this.#hub = new HubServer({
      environment: {
        profile,
        clock: systemClock,
        serverId,
        clients: new ClientTable(profile),
        results: new ClientResults(profile, serverId, () => setTimeout(COMPILE_MS)),
        log: (line) => void log.push(line),
      },
      endpoint: parseConnectionString(formatConnectionString(edgeUrl, DEVELOPMENT_ACCESS_KEY)),
      key: hub,
      definition: { methods: {} },
      options: {},
      acks: this.#acks,
      connections,
      migrationLevel: MigrationLevel.Off,
      weak: true,
    });
    this.clients = this.#hub.clients;
    this.groups = this.#hub.groups;
    this.userGroups = new UserGroups(this.#hub);
    this.clientManager = new ClientManager(this.#hub);
  }

  /** Closes its connections; weak ones are not announced to end (section 7.5). */
  async [Symbol.asyncDispose](): Promise<void> {
    const { connections } = this.#hub.container;
    this.#hub.container.close();
    this.#acks.stop();
    await Promise.all(connections.map(({ closed }) => closed));
  }
}
