import type { Budget } from '@trunkline/protocol';

import type { Clock } from '../clock.ts';
import type { FilterSet } from '../hubs/filters.ts';
import type { Hub, HubType } from '../hubs/hub.ts';
import type { MethodTable } from '../hubs/method-table.ts';
import type { ServiceManager } from '../management/service-manager.ts';
import type { HubSettings, Logger } from '../options.ts';
import type { CompletionMessage, HubProtocol } from '../protocols/index.ts';
import type { Sender } from '../sending/send-proxy.ts';
import type { HubCounts } from '../telemetry/counts.ts';
import type { Authorize } from './authorization.ts';
import type { ClientConnection } from './client-connection.ts';

/** A hub class as it is mapped to one path. */
export interface HubRoute {
  readonly path: string;
  readonly hubClass: HubType<Hub<never>>;
  /** Makes the hub object of one call or lifecycle hook. */
  readonly create: () => Hub<never>;
  readonly methods: MethodTable;
  readonly filters: FilterSet;
  readonly authorize: Authorize | undefined;
  readonly settings: HubSettings;
  readonly protocols: readonly HubProtocol[];
}

/** What a client connection needs of the hub it belongs to. */
export interface ClientHost {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The hub key. */
  readonly hub: string;
  readonly counts: HubCounts;
  /** What all clients of the server may have waiting for their methods, in bytes. */
  readonly pending: Budget<ClientConnection>;
  /** Sends on behalf of the client; `beforeInvoke` may refuse a client result by throwing. */
  sender(client: ClientConnection, beforeInvoke: () => void): Sender;
  managerFor(client: ClientConnection): ServiceManager;
  /** Resolves when the service has dealt with what was written to the client, in 10 s at most. */
  caughtUp(client: ClientConnection): Promise<void>;
  /** The client answered what some server asked it; `record` is the whole hub message. */
  answered(client: ClientConnection, message: CompletionMessage, record: Uint8Array): void;
  /** What the client sent for a method cannot be read, or its schema does not take it. */
  refused(method: string, why: string): void;
  /** A call that the client awaits no answer of, of whatever method, cannot start. */
  unanswered(why: string): void;
  /** Something began that a stopping server should wait for; `finished` must follow. */
  started(): void;
  finished(): void;
  /** Its `onConnected` has succeeded. */
  connected(client: ClientConnection): void;
  /** Its `onDisconnected` has ended, with the error it was told. */
  disconnected(client: ClientConnection, error: Error | undefined): void;
  /** The connection has ended. */
  forget(client: ClientConnection): void;
}
