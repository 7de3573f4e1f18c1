export { Gates } from './dotnet/app/gates.ts';
export type { Identity } from './dotnet/app/identity.ts';
export { DotnetManager } from './dotnet/dotnet-manager.ts';
export { PROFILE_NAMES, type ProfileName } from './dotnet/profiles.ts';
export type { ShutdownMode } from './dotnet/shutdown.ts';
export { FakeAppServer } from './fakes/fake-app-server.ts';
export type { FakeAppServerOptions, SocketClose } from './fakes/fake-app-server.ts';
export { Mailbox } from './fakes/mailbox.ts';
export { askProcess } from './launch/ask-process.ts';
export type { BusEngine, BusEngineOptions } from './launch/bus-engine.ts';
export { makeCertificate } from './launch/certificate.ts';
export { startChat } from './launch/chat.ts';
export type { ChatOptions, StartedChat } from './launch/chat.ts';
export { deadline } from './launch/deadline.ts';
export {
  type DotnetStandIn,
  type DotnetStandInOptions,
  startDotnetStandIn,
} from './launch/dotnet-stand-in.ts';
export { type EdgeOptions, startEdge, type StartedEdge } from './launch/edge.ts';
export { freePort } from './launch/free-port.ts';
export { freeze } from './launch/freeze.ts';
export { NATS, startNats } from './launch/nats.ts';
export { NGINX, startNginx, type StartedNginx } from './launch/nginx.ts';
export { type Own, owning } from './launch/owning.ts';
export {
  type ProcessExit,
  type ProcessOptions,
  startProcess,
  type StartedProcess,
} from './launch/process.ts';
export { REDIS, startRedis } from './launch/redis.ts';
export { type RoundRobinProxy, startRoundRobinProxy } from './launch/round-robin-proxy.ts';
export { TcpProxy } from './launch/tcp-proxy.ts';
export { preciseNow } from './load/arrivals.ts';
export type { EchoResult } from './load/echo.ts';
export { LoadGenerator } from './load/load-generator.ts';
export { FrameReader } from './load/frames.ts';
