export type { TransportName } from '@trunkline/protocol';
export type { Authorize, HubUser } from './clients/authorization.ts';
export type { UserClaims } from './clients/claims.ts';
export type { HubContext } from './clients/context.ts';
export type { EndpointLoad, EndpointOptions, EndpointType } from './endpoints/endpoint.ts';
export type {
  EndpointRouter,
  HubEndpoint,
  NegotiatingClient,
  SendTarget,
} from './endpoints/router.ts';
export { HubError, TrunklineError, type TrunklineErrorCode } from './errors.ts';
export type { HubFilter, HubInvocation, HubLifetime } from './hubs/filters.ts';
export { Hub, type HubClass, type HubType } from './hubs/hub.ts';
export type { MapOptions } from './hubs/hub-route.ts';
export type { HubMethodOptions, HubMethods } from './hubs/hub-methods.ts';
export type {
  HubStream,
  HubStreamObserver,
  PlainConnection,
  TypedConnection,
} from './hubs/typed-connection.ts';
export type { Groups } from './management/groups.ts';
export type {
  CloseAllOptions,
  CloseOptions,
  GroupManager,
  GroupMember,
  GroupPage,
  HubManager,
  ListOptions,
  PageOptions,
  UserGroupManager,
  UserGroupOptions,
} from './management/hub-manager.ts';
export type { ServiceManager } from './management/service-manager.ts';
export type { UserGroups } from './management/user-groups.ts';
export type { ExpressHandler, ExpressRequest } from './negotiate/express.ts';
export type { FastifyPlugin, FastifyRequestLike } from './negotiate/fastify.ts';
export type { NodeHandler } from './negotiate/node.ts';
export type { NegotiateOptions, TokenOptions } from './negotiate/options.ts';
export type { WebHandler } from './negotiate/web.ts';
export type { HubOptions, HubProtocolName, Logger, Migration, ServerOptions } from './options.ts';
export type { ConnectionScope } from './presence/directory.ts';
export type { HubConnections, ListConnectionsOptions } from './presence/hub-connections.ts';
export type { Presence, PresenceEvents, PresenceOptions } from './presence/presence.ts';
export { MessagePackExtension } from './protocols/values.ts';
export {
  createManager,
  type ClientOptions,
  type ManagedHub,
  type Manager,
  type ManagerOptions,
} from './rest/manager.ts';
export type { RestGroups, RestUserGroups } from './rest/rest-groups.ts';
export type {
  CallerClients,
  Clients,
  Invokes,
  Sends,
  SingleClient,
  UntypedClient,
} from './sending/clients.ts';
export type { Names } from './sending/destination.ts';
export type { InvokeOptions } from './sending/send-proxy.ts';
export { createServer, type HubHandle, type Server, type StopOptions } from './server.ts';
export type { ClientEvent, ServerConnectionEvent, ServerEvents } from './telemetry/events.ts';
export type { EndpointHealth, HubHealth, ServerHealth } from './telemetry/health.ts';
export type { MetricRegistry } from './telemetry/metrics.ts';
