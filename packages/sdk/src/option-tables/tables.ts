import type { EndpointOptions } from '../endpoints/endpoint.ts';
import type { EndpointRouter } from '../endpoints/router.ts';
import type { HubFilter } from '../hubs/filters.ts';
import type { HubMethodOptions, Schema } from '../hubs/hub-methods.ts';
import type { MapOptions } from '../hubs/hub-route.ts';
import type {
  CloseAllOptions,
  CloseOptions,
  ListOptions,
  PageOptions,
  UserGroupOptions,
} from '../management/hub-manager.ts';
import type { NegotiateOptions, TokenOptions } from '../negotiate/options.ts';
import type { HubOptions, Logger, ServerOptions } from '../options.ts';
import type { ConnectionScope } from '../presence/directory.ts';
import type { ListConnectionsOptions } from '../presence/hub-connections.ts';
import type { PresenceOptions } from '../presence/presence.ts';
import type { ClientOptions, ManagerOptions } from '../rest/manager.ts';
import type { InvokeOptions } from '../sending/send-proxy.ts';
import type { StopOptions } from '../server.ts';
import type { OptionTable } from './check.ts';
import * as kind from './kinds.ts';

// What every option of the package takes. Defaults and meanings are with the types.

const filters = kind.listOf(
  'filters, with invoke, connected and disconnected as functions or not there',
  kind.methods<HubFilter>('a filter', {
    invoke: 'optional',
    connected: 'optional',
    disconnected: 'optional',
  }),
);

export const HUB_OPTIONS: OptionTable<HubOptions> = {
  maximumReceiveMessageSize: kind.orNull(kind.whole(1, undefined, 'bytes'), 'no limit'),
  maximumParallelInvocationsPerClient: kind.whole(1),
  maximumRunningCallsPerClient: kind.whole(1),
  streamBufferCapacity: kind.whole(1),
  maximumPendingBytes: kind.whole(1, undefined, 'bytes'),
  enableDetailedErrors: kind.flag,
  keepAliveInterval: kind.milliseconds(1),
  clientTimeoutInterval: kind.milliseconds(1),
  handshakeTimeout: kind.milliseconds(1),
  migration: kind.oneOf('off', 'shutdown', 'always'),
  supportedProtocols: kind.someOf('json', 'messagepack'),
  useBigInt: kind.flag,
};

export const MAP_OPTIONS: OptionTable<MapOptions> = {
  ...HUB_OPTIONS,
  hub: kind.text,
  create: kind.callback(),
  authorize: kind.callback(),
  filters,
};

export const SERVER_OPTIONS: OptionTable<ServerOptions> = {
  connectionString: kind.text,
  applicationName: kind.text,
  endpoints: kind.listOf('endpoints, each an object', kind.object<EndpointOptions>()),
  router: kind.methods<EndpointRouter>('an object with negotiate, send or both as functions', {
    negotiate: 'optional',
    send: 'optional',
  }),
  connectionCount: kind.whole(1, 1000),
  spreadOverEdges: kind.flag,
  maximumOutboundBytes: kind.whole(1, undefined, 'bytes'),
  maximumTotalPendingBytes: kind.whole(1, undefined, 'bytes'),
  reuse: kind.text,
  hubOptions: kind.object(),
  filters,
  logger: kind.methods<Logger>('an object with info, warn and error as functions', {
    info: 'needed',
    warn: 'needed',
    error: 'needed',
  }),
};

export const ENDPOINT_OPTIONS: OptionTable<EndpointOptions> = {
  name: kind.text,
  connectionString: kind.text,
  type: kind.oneOf('primary', 'secondary'),
};

const TOKEN_OPTIONS: OptionTable<TokenOptions> = {
  tokenLifetimeSeconds: kind.whole(1, undefined, 'seconds'),
  transports: kind.someOf('WebSockets', 'ServerSentEvents', 'LongPolling'),
  maxPollIntervalSeconds: kind.whole(1, 300, 'seconds'),
};

export const NEGOTIATE_OPTIONS: OptionTable<NegotiateOptions<never>> = {
  ...TOKEN_OPTIONS,
  userId: kind.callback(),
  claims: kind.callback(),
  expiresAt: kind.callback(),
  authenticationRefresh: kind.flag,
};

export const STOP_OPTIONS: OptionTable<StopOptions> = { timeout: kind.milliseconds(0) };

export const INVOKE_OPTIONS: OptionTable<InvokeOptions> = {
  timeout: kind.patience(),
  signal: kind.signal,
};

export const MANAGER_OPTIONS: OptionTable<ManagerOptions> = {
  connectionString: kind.text,
  applicationName: kind.text,
  timeout: kind.milliseconds(1),
};

export const CLIENT_OPTIONS: OptionTable<ClientOptions> = {
  ...TOKEN_OPTIONS,
  userId: kind.text,
  claims: kind.object(),
  expiresAt: kind.date,
};

export const CLOSE_OPTIONS: OptionTable<CloseOptions> = { reason: kind.text };

export const CLOSE_ALL_OPTIONS: OptionTable<CloseAllOptions> = {
  ...CLOSE_OPTIONS,
  except: kind.names,
};

export const LIST_OPTIONS: OptionTable<ListOptions> = { top: kind.whole(0) };

/** What an integer of the service protocol can be. */
const MAX_INT32 = 2 ** 31 - 1;

export const PAGE_OPTIONS: OptionTable<PageOptions> = {
  size: kind.whole(1, MAX_INT32),
  continuationToken: kind.text,
};

export const CONNECTION_SCOPE: OptionTable<ConnectionScope> = {
  group: kind.text,
  userId: kind.text,
};

export const LIST_CONNECTIONS_OPTIONS: OptionTable<ListConnectionsOptions> = {
  ...CONNECTION_SCOPE,
  ...LIST_OPTIONS,
};

export const PRESENCE_OPTIONS: OptionTable<PresenceOptions> = {
  interval: kind.milliseconds(1),
  maximumMembers: kind.whole(1),
};

export const USER_GROUP_OPTIONS: OptionTable<UserGroupOptions> = {
  ttl: kind.whole(0, MAX_INT32, 'seconds'),
};

/** Some libraries' schemas are functions. Whether it is one is said of the method it belongs to. */
const schema = kind.objectOrFunction<Schema>();

const schemasOrCount = kind.either(kind.listOf('schemas', schema), kind.whole(0));

/** Of one method in a hub class's static `methods`. */
export const METHOD_OPTIONS: OptionTable<HubMethodOptions> = {
  name: kind.text,
  aliases: kind.listOf('texts', kind.text),
  parameters: schemasOrCount,
  uploads: schemasOrCount,
  streams: kind.flag,
  authorize: kind.callback(),
};
