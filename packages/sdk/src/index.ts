export type { TransportName } from '@trunkline/protocol';
export type { UserClaims } from './clients/claims.ts';
export type { HubContext } from './clients/context.ts';
export { HubError, TrunklineError, type TrunklineErrorCode } from './errors.ts';
export { Hub, type HubClass } from './hubs/hub.ts';
export type { ExpressHandler, ExpressRequest } from './negotiate/express.ts';
export type { FastifyPlugin, FastifyRequestLike } from './negotiate/fastify.ts';
export type { NegotiateOptions } from './negotiate/handler.ts';
export type { NodeHandler } from './negotiate/node.ts';
export type { HubOptions, HubProtocolName, Logger, ServerOptions } from './options.ts';
export type {
  CallerClients,
  Clients,
  Invokes,
  Sends,
  SingleClient,
  UntypedClient,
} from './sending/clients.ts';
export type { Names } from './sending/destination.ts';
export type { Groups } from './sending/groups.ts';
export type { InvokeOptions } from './sending/send-proxy.ts';
export {
  createServer,
  type HubHandle,
  type Server,
  type MapOptions,
  type StopOptions,
} from './server.ts';
