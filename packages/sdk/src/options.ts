import { namedConnectionString } from './connection-string.ts';
import type { EndpointOptions } from './endpoints/endpoint.ts';
import type { EndpointRouter } from './endpoints/router.ts';
import { badOptions } from './errors.ts';
import { guardedLogger } from './guarded-logger.ts';
import type { HubFilter } from './hubs/filters.ts';
import { checkOptions } from './option-tables/check.ts';
import { ENDPOINT_OPTIONS, HUB_OPTIONS, SERVER_OPTIONS } from './option-tables/tables.ts';

/** Where the library reports what it cannot tell anybody; `console` fits. What it throws counts for nothing. */
export interface Logger {
  info(message: string): void;
  warn(message: string): void;
  error(message: string, error?: unknown): void;
}

/** What a hub can bear of having its clients moved to another app server; see `HubOptions.migration`. */
export type Migration = 'off' | 'shutdown' | 'always';

export type HubProtocolName = 'json' | 'messagepack';

/** ASP.NET Core's hub options and defaults; times are milliseconds, sizes bytes. */
export interface HubOptions {
  /** Largest hub message a client may send, framing included; null for no limit. Default 1 MiB. */
  maximumReceiveMessageSize?: number | null;
  /** Calls of one client that run at once; streams do not count. Default 1. */
  maximumParallelInvocationsPerClient?: number;
  /**
   * Calls of one client that run at once, of every kind: streams, uploads and those that wait for the
   * client's answer too. More are refused. Default 256; at least maximumParallelInvocationsPerClient.
   */
  maximumRunningCallsPerClient?: number;
  /** Items of one upload kept for a method that is slow to read them. Default 10. */
  streamBufferCapacity?: number;
  /**
   * What one client may have waiting, behind a call that blocks it and in uploads that no method has
   * read; more closes it. Values that have been read from a message count as the memory that they take,
   * which lists and objects of little content take a lot of. Default 4 MiB.
   */
  maximumPendingBytes?: number;
  /** Tell clients the type and message of every error, not only of a HubError. Default false. */
  enableDetailedErrors?: boolean;
  /** Between pings to a client. Default 15 s. */
  keepAliveInterval?: number;
  /** Silence after which a client that pings at all is closed. Default 30 s. */
  clientTimeoutInterval?: number;
  /** How long a client may take for its handshake. Default 15 s. */
  handshakeTimeout?: number;
  /**
   * When this app server goes, clients are closed, to reconnect (`off`), or given to another app
   * server without noticing: when it stops (`shutdown`), or also when it or a connection of it is
   * lost (`always`). What a hub keeps here for a connection is gone then, and `onConnected` runs
   * there for the same connection id. Default `off`, as in ASP.NET Core.
   */
  migration?: Migration;
  /** Hub protocols that clients may speak. Default both. */
  supportedProtocols?: readonly HubProtocolName[];
  /**
   * Integers beyond 2^53 are read as BigInts, and BigInts are written as integers. Default false: a
   * call fails that brings an integer which a number does not keep, and so does sending a BigInt.
   */
  useBigInt?: boolean;
}

/** `HubOptions` with their defaults; no limit is Infinity. */
export type HubSettings = Readonly<
  Required<Omit<HubOptions, 'maximumReceiveMessageSize'>> & { maximumReceiveMessageSize: number }
>;

export interface ServerOptions {
  /**
   * Default: the environment's TRUNKLINE_CONNECTION_STRING, or what is in the file that its
   * TRUNKLINE_CONNECTION_STRING_FILE names.
   */
  connectionString?: string | undefined;
  /**
   * Goes before every hub key, with a `_`, so that several apps can share a service without meeting
   * in a hub. A letter, then letters, digits and `_`. Default: none.
   */
  applicationName?: string | undefined;
  /** Several services instead of one connection string; at least one of them primary. */
  endpoints?: readonly EndpointOptions[];
  /** Chooses among several endpoints, where the default is not what the app needs. */
  router?: EndpointRouter;
  /** Server connections for each hub and endpoint. Default 5. */
  connectionCount?: number;
  /**
   * Where the service is a cluster of edges: a server connection more to each edge that none of the
   * others has reached, 8 at most for each hub and endpoint; and what can do without an edge that the
   * others take for gone goes by another one. Default true.
   */
  spreadOverEdges?: boolean;
  /** Bytes that may wait in one server connection before sends reject. Default 16 MiB. */
  maximumOutboundBytes?: number;
  /**
   * A name of this server in the process, for what loads modules again or several times: `start()`
   * replaces the server that was started under this name before, which leaves as by `stop()` once
   * this one is connected. Negotiate, handles, `health` and `metrics` of all that are made under the
   * name are those of the one that was started last. Default: none.
   */
  reuse?: string | undefined;
  /**
   * What all clients together may have waiting, and what their running calls were called with; more
   * closes who has the most. Default 64 MiB, sixteen times what one client may have waiting.
   */
  maximumTotalPendingBytes?: number;
  /** What holds for every hub that does not say otherwise. */
  hubOptions?: HubOptions;
  /** Around every hub's calls and lifecycle hooks, outermost first, and around the hubs' own. */
  filters?: readonly HubFilter[];
  /** Default: the console, for warnings and errors. */
  logger?: Logger;
}

export type ServerSettings = Readonly<
  Required<Omit<ServerOptions, 'connectionString' | 'applicationName' | 'reuse' | 'endpoints'>>
> & {
  /** None where there is no connection string yet: a build has none, and starts nothing. */
  readonly endpoints: readonly EndpointOptions[] | undefined;
};

const MIB = 1024 * 1024;

const HUB_DEFAULTS: HubSettings = {
  maximumReceiveMessageSize: MIB,
  maximumParallelInvocationsPerClient: 1,
  // As many as the edge follows for one client, which it could not move with more.
  maximumRunningCallsPerClient: 256,
  streamBufferCapacity: 10,
  maximumPendingBytes: 4 * MIB,
  enableDetailedErrors: false,
  keepAliveInterval: 15_000,
  clientTimeoutInterval: 30_000,
  handshakeTimeout: 15_000,
  migration: 'off',
  supportedProtocols: ['json', 'messagepack'],
  useBigInt: false,
};

/** Tells of warnings and errors. */
export const quietConsole: Logger = {
  info: () => {},
  warn: (message) => console.warn(message),
  error: (message, error) => console.error(message, ...(error === undefined ? [] : [error])),
};

/** Fills in the defaults and the environment. Throws TrunklineError `bad-options`. */
export function serverSettings(options: ServerOptions): ServerSettings {
  checkOptions('createServer', SERVER_OPTIONS, options);
  checkOptions('createServer: hubOptions', HUB_OPTIONS, options.hubOptions ?? {});
  for (const [at, endpoint] of (options.endpoints ?? []).entries()) {
    checkOptions(`createServer: endpoints[${at}]`, ENDPOINT_OPTIONS, endpoint);
  }
  if (options.endpoints !== undefined && options.connectionString !== undefined) {
    throw badOptions('give connectionString or endpoints, not both');
  }
  return {
    endpoints: options.endpoints ?? namedEndpoint(options),
    router: options.router ?? {},
    connectionCount: options.connectionCount ?? 5,
    spreadOverEdges: options.spreadOverEdges ?? true,
    maximumOutboundBytes: options.maximumOutboundBytes ?? 16 * MIB,
    maximumTotalPendingBytes: options.maximumTotalPendingBytes ?? 64 * MIB,
    hubOptions: options.hubOptions ?? {},
    filters: options.filters ?? [],
    logger: guardedLogger(options.logger ?? quietConsole),
  };
}

function namedEndpoint(options: ServerOptions): readonly EndpointOptions[] | undefined {
  const connectionString = namedConnectionString(options);
  return connectionString === '' ? undefined : [{ connectionString }];
}

/** A hub's own options over those of the server over the defaults. */
export function hubSettings(shared: HubOptions, own: HubOptions): HubSettings {
  const given = { ...HUB_DEFAULTS, ...defined(shared), ...defined(own) };
  const { maximumReceiveMessageSize, maximumRunningCallsPerClient } = given;
  return {
    ...given,
    maximumReceiveMessageSize: maximumReceiveMessageSize ?? Infinity,
    maximumRunningCallsPerClient: Math.max(
      maximumRunningCallsPerClient,
      given.maximumParallelInvocationsPerClient,
    ),
  };
}

function defined(options: HubOptions): HubOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
