import { defineOptions } from '@trunkline/settings';
import { LOG_LEVELS } from '@trunkline/telemetry';
import { DEVELOPMENT_ACCESS_KEY } from '@trunkline/tokens';
import { MIGRATION_POLICIES } from './sessions/migration-policy.ts';
import { TRANSPORT_LABELS } from './sessions/transport.ts';

/** Every setting of the edge: flags, variables, config file keys, help and docs come from here. */
export const EDGE_OPTIONS = defineOptions({
  port: { kind: 'port', default: 8080, help: 'Public listener: clients and app servers.' },
  host: {
    kind: 'string',
    default: '0.0.0.0',
    devDefault: '127.0.0.1',
    listens: true,
    help: 'Address of the public listener.',
  },
  adminPort: { kind: 'port', default: 9464, help: 'Metrics, health and admin.' },
  adminHost: {
    kind: 'string',
    default: '127.0.0.1',
    listens: true,
    help: 'Address of the admin listener. It has no authentication: keep it off public networks.',
  },
  accessKeys: {
    kind: 'list',
    devDefault: [DEVELOPMENT_ACCESS_KEY],
    secret: true,
    isKey: true,
    help: 'One or two access keys of 32 bytes or more: the first signs, all verify. Read again on SIGHUP. Required without --dev.',
  },
  publicUrl: {
    kind: 'url',
    help: "This edge's URL, as its log and the connection string that --dev prints have it; from host and port when not given. Edges of a cluster that have one each, and no two the same, send new clients to each other.",
  },
  bus: {
    kind: 'string',
    default: 'memory',
    secret: true,
    help: 'What joins edges: memory, for a single edge; nats://host:port or tls://host:port, several servers comma separated; redis://host:port or rediss://host:port. With user:password@ or, for NATS, token@ in front of the host.',
  },
  cluster: {
    kind: 'string',
    default: 'main',
    help: 'Edges of one cluster hear each other, and those of other clusters on the same bus do not.',
  },
  busCa: {
    kind: 'string',
    help: 'PEM file of the authority that vouches for a bus with TLS. The system knows it when not given.',
  },
  busCredentials: {
    kind: 'string',
    help: 'Credentials file for NATS, instead of user and password.',
  },
  edgeId: {
    kind: 'string',
    help: 'Instance id, as app servers, logs and other edges see it; 128 bytes at most. Random when not given.',
  },
  processes: {
    kind: 'integer',
    min: 1,
    max: 64,
    default: 1,
    help: 'Edges on this machine that share the public port, a process each: about one for each core. More than one need a bus, NATS or Redis, and Linux.',
  },
  tlsCert: {
    kind: 'string',
    help: 'PEM file with the certificate chain; serves TLS with --tls-key.',
  },
  tlsKey: { kind: 'string', help: 'PEM file with the private key.' },
  allowedOrigins: {
    kind: 'list',
    default: ['*'],
    help: 'Origins whose pages may connect, scheme://host[:port] each; * is every one. Pages of the host they connect to always may.',
  },
  trustedProxies: {
    kind: 'list',
    default: [],
    help: 'Proxies whose X-Forwarded-* headers count: IP addresses and blocks such as 10.0.0.0/8. Those of others are dropped.',
  },
  logLevel: {
    kind: 'choice',
    choices: LOG_LEVELS,
    default: 'info',
    help: 'Least level that is logged.',
  },
  serverWait: {
    kind: 'integer',
    min: 0,
    max: 300,
    default: 10,
    help: 'Seconds that a client waits for an app server of its hub, at first and when its own goes, before it is turned away.',
  },
  maxMessageBytes: {
    kind: 'integer',
    min: 1024,
    max: 64 * 1024 * 1024,
    default: 4 * 1024 * 1024,
    help: 'Longest hub message of a client, framing included.',
  },
  clientQueueBytes: {
    kind: 'integer',
    min: 64 * 1024,
    max: 64 * 1024 * 1024,
    default: 1024 * 1024,
    help: 'What may wait for a client that does not read; over it, the client is closed.',
  },
  maxBatchBytes: {
    kind: 'integer',
    min: 1024,
    max: 128 * 1024 * 1024,
    help: 'Longest WebSocket message or POST body of a client; each may hold many hub messages. Twice --max-message-bytes when not given.',
  },
  maxConnections: {
    kind: 'integer',
    min: 1,
    max: 10_000_000,
    help: 'Clients that may be connected; more are answered 503. As many as open files allow when not given.',
  },
  maxHubs: {
    kind: 'integer',
    min: 2,
    max: 100_000,
    default: 1000,
    help: 'Hubs that may be in use; half of them can be named by clients before an app server of theirs is there. A connect to one more is answered 503.',
  },
  maxRequests: {
    kind: 'integer',
    min: 1,
    max: 1_000_000,
    default: 1024,
    help: 'Posts of clients that may be in flight; more are answered 503.',
  },
  transports: {
    kind: 'list',
    default: TRANSPORT_LABELS,
    help: 'Transports that clients may use: webSockets, serverSentEvents, longPolling.',
  },
  migration: {
    kind: 'choice',
    choices: MIGRATION_POLICIES,
    default: 'app',
    help: 'Whether clients are moved to another app server when theirs goes, or closed to reconnect. app: as the app server says.',
  },
  drainTimeout: {
    kind: 'integer',
    min: 0,
    max: 3600,
    default: 30,
    help: 'Seconds in which clients are sent away, to reconnect elsewhere, before SIGTERM ends the edge, and after POST /admin/drain. 0: SIGTERM ends it at once.',
  },
  drainRate: {
    kind: 'integer',
    min: 1,
    max: 1_000_000,
    default: 500,
    help: 'Clients that are sent away in a second meanwhile; more where they would not be gone in time.',
  },
  rebalance: {
    kind: 'integer',
    min: 0,
    max: 1_000_000,
    default: 0,
    help: 'Clients that are moved in a second from app servers that have more to those that have fewer, where their app lets them be moved at any time.',
  },
  upstreamTimeout: {
    kind: 'integer',
    min: 1,
    max: 600,
    default: 100,
    help: 'Seconds that a call to an upstream may take, from when it is asked for to the end of its answer.',
  },
  upstreamConcurrency: {
    kind: 'integer',
    min: 1,
    max: 10_000,
    default: 100,
    help: 'Calls of this edge under way to one upstream; to all, four times as many. More wait.',
  },
  upstreamAllow: {
    kind: 'list',
    default: [],
    devDefault: ['127.0.0.0/8', '::1'],
    help: "Addresses and blocks, such as 127.0.0.1 or 169.254.0.0/16, at which upstreams may be although they are of this machine, of its links, or of its cloud's metadata.",
  },
  upstreamCa: {
    kind: 'string',
    help: 'PEM file of the authority that vouches for upstreams with TLS. The system knows it when not given.',
  },
  upstreamCert: {
    kind: 'string',
    help: 'PEM file with the certificate that the edge shows to upstreams, with --upstream-key.',
  },
  upstreamKey: { kind: 'string', help: 'PEM file with its private key.' },
  upstreamProxy: {
    kind: 'url',
    secret: true,
    help: 'Forward proxy by which upstreams are called, http://user:password@host:port. It looks their names up, and has to keep addresses apart itself.',
  },
  pollTimeout: {
    kind: 'integer',
    min: 1,
    max: 95,
    default: 90,
    help: 'Seconds that a long poll hangs without data. Clients give up after 100, many proxies after 60.',
  },
  dev: {
    kind: 'flag',
    help: 'Development: the well-known access key, and addresses of this machine only. Never in production.',
  },
  devPublic: {
    kind: 'flag',
    help: 'Listen beyond this machine with --dev too, where anybody may come in.',
  },
});
