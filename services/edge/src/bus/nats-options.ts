import type { NodeConnectionOptions } from '@nats-io/transport-node';
import { credsAuthenticator } from '@nats-io/transport-node';
import type { NatsAddress } from './bus-address.ts';
import { CONNECT_MS, retryDelay } from './connections.ts';

/** With two pings unanswered a server is lost: one that freezes, within 3 s. */
const PING_MS = 1_000;
const PINGS_OUT = 2;

/** How the client library is to connect, for ever. `edgeId`: what the server's monitoring calls it by. */
export function natsOptions(address: NatsAddress, edgeId: string): NodeConnectionOptions {
  const { servers, tls, ca, user, password, credentials } = address;
  const login =
    user === undefined ? {} : password === undefined ? { token: user } : { user, pass: password };
  return {
    servers: [...servers],
    name: `trunkline-edge-${edgeId}`,
    noEcho: true,
    reconnect: true,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: retryDelay,
    timeout: CONNECT_MS,
    pingInterval: PING_MS,
    maxPingOut: PINGS_OUT,
    ...login,
    ...(tls ? { tls: ca === undefined ? {} : { ca } } : {}),
    ...(credentials === undefined ? {} : { authenticator: credsAuthenticator(credentials) }),
  };
}
