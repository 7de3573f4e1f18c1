import { randomBytes } from 'node:crypto';
import { accessSync, constants, readFileSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { TRANSPORT_BITS } from '@trunkline/protocol';
import type { SettingsSources } from '@trunkline/settings';
import {
  KNOWN_VARIABLES,
  readOrigins,
  readSettingsWithSections,
  SettingsError,
} from '@trunkline/settings';
import type { LoggerOptions } from '@trunkline/telemetry';
import { AccessKeyError, AccessKeys, DEVELOPMENT_ACCESS_KEY } from '@trunkline/tokens';
import type { BusAddress } from './bus/bus-address.ts';
import { readBusAddress } from './bus/bus-address.ts';
import { formatTag } from './model/connection-id.ts';
import { EDGE_SECTIONS, readHubs } from './hub-settings.ts';
import { EDGE_OPTIONS } from './options.ts';
import type { GivenPolicies } from './sessions/hub-policies.ts';
import type { CallLimits } from './sessions/upstream/call-pool.ts';
import { TRANSPORT_LABELS, TRANSPORTS } from './sessions/transport.ts';
import type { UpstreamHttpOptions } from './upstream-http/undici-http.ts';

/** Ids and clusters are in the names of subjects, of which NATS takes lines of 4 KB at most. */
const MAX_NAME_BYTES = 128;

/** What an edge is started with: the option table's values, checked together. */
export interface EdgeConfig {
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly accessKeys: AccessKeys;
  readonly publicUrl: string | undefined;
  readonly edgeId: string;
  /** Edges that share the public port. */
  readonly processes: number;
  readonly bus: BusAddress;
  readonly cluster: string;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Canonical, as `originAllowed` takes them. */
  readonly allowedOrigins: readonly string[];
  /** Peers whose `X-Forwarded-*` count. */
  readonly trustedProxies: BlockList;
  readonly logLevel: LoggerOptions['level'];
  readonly serverWaitMs: number;
  /** One hub message of a client. */
  readonly maxMessageBytes: number;
  /** One WebSocket message of a client, or one post: each may hold many hub messages. */
  readonly maxBatchBytes: number;
  readonly clientQueueBytes: number;
  /** Infinity: as many as open files allow. */
  readonly maxConnections: number;
  /** Hubs that may be in use. */
  readonly maxHubs: number;
  /** Posts in flight. */
  readonly requests: number;
  /** Mask of TRANSPORT_BITS. */
  readonly transports: number;
  readonly pollMs: number;
  /** What is settled for single hubs, and for all others. */
  readonly hubs: GivenPolicies;
  readonly upstream: { readonly http: UpstreamHttpOptions; readonly limits: CallLimits };
  readonly drainMs: number;
  /** Clients in a second, as are those of `rebalance`. */
  readonly drainRate: number;
  readonly rebalance: number;
  /** The access key is the one that everybody knows. */
  readonly keyIsPublic: boolean;
}

export type ConfigSources = Pick<SettingsSources, 'argv' | 'env'>;

/** Throws SettingsError with one line that says what to change. */
export function readConfig(sources: ConfigSources): EdgeConfig {
  const others = KNOWN_VARIABLES;
  const settings = readSettingsWithSections(EDGE_OPTIONS, {
    ...sources,
    others,
    configFile: true,
    sections: EDGE_SECTIONS,
  });
  const { tlsCert, tlsKey, accessKeys, serverWait, drainTimeout, ...rest } = settings;
  return {
    ...rest,
    maxBatchBytes: readBatchBytes(rest),
    maxConnections: rest.maxConnections ?? Infinity,
    requests: rest.maxRequests,
    transports: readTransports(rest.transports),
    pollMs: rest.pollTimeout * 1000,
    allowedOrigins: readOrigins(rest.allowedOrigins),
    trustedProxies: readBlocks(rest.trustedProxies, 'proxy', '--trusted-proxies'),
    hubs: readHubs(rest.hubs, rest.migration),
    upstream: readUpstream(rest),
    accessKeys: readKeys(accessKeys),
    keyIsPublic: accessKeys?.includes(DEVELOPMENT_ACCESS_KEY) === true,
    edgeId: readName('--edge-id', rest.edgeId ?? `edge-${formatTag(randomBytes(8))}`),
    cluster: readName('--cluster', rest.cluster),
    bus: readBus(rest),
    tls: readTls(tlsCert, tlsKey),
    serverWaitMs: serverWait * 1000,
    drainMs: drainTimeout * 1000,
  };
}

function readKeys(keys: readonly string[] | undefined): AccessKeys {
  if (keys === undefined) {
    throw new SettingsError(
      'no access keys: set TRUNKLINE_ACCESS_KEYS or TRUNKLINE_ACCESS_KEYS_FILE (or --access-keys), or use --dev on your own machine',
    );
  }
  try {
    return new AccessKeys(keys);
  } catch (error) {
    if (error instanceof AccessKeyError) throw new SettingsError(error.message);
    throw error;
  }
}

function readBus(
  settings: Parameters<typeof readBusAddress>[0] & { processes: number },
): BusAddress {
  const bus = readBusAddress(settings);
  if (settings.processes > 1 && bus.kind === 'memory') {
    throw new SettingsError(
      "--processes needs a bus that joins its edges: start one with 'nats-server -c deploy/nats.conf' and add --bus nats://127.0.0.1:4222",
    );
  }
  if (settings.processes > 1 && process.platform !== 'linux') {
    throw new SettingsError(
      `--processes needs Linux, since on ${process.platform} processes do not share a port evenly: leave it out`,
    );
  }
  return bus;
}

function readName(flag: string, name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  throw new SettingsError(`${flag} has more than ${MAX_NAME_BYTES} bytes`);
}

function readBatchBytes(settings: {
  maxMessageBytes: number;
  maxBatchBytes: number | undefined;
}): number {
  const { maxMessageBytes, maxBatchBytes = 2 * maxMessageBytes } = settings;
  if (maxBatchBytes < maxMessageBytes) {
    throw new SettingsError(
      `--max-batch-bytes (${maxBatchBytes}) is less than one message of --max-message-bytes (${maxMessageBytes})`,
    );
  }
  return maxBatchBytes;
}

function readTransports(labels: readonly string[]): number {
  let mask = 0;
  for (const label of labels) {
    const transport = Object.values(TRANSPORTS).find((known) => known.label === label);
    if (transport === undefined) {
      throw new SettingsError(
        `'${label}' is no transport: --transports takes ${TRANSPORT_LABELS.join(', ')}`,
      );
    }
    mask |= TRANSPORT_BITS[transport.name];
  }
  return mask;
}

function readBlocks(entries: readonly string[], what: string, flag: string): BlockList {
  const blocks = new BlockList();
  for (const entry of entries) {
    const [address = '', bits, ...more] = entry.split('/');
    const family = isIP(address);
    const width = family === 6 ? 128 : 32;
    const prefix = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN;
    if (family === 0 || more.length > 0 || !(prefix <= width)) {
      throw new SettingsError(
        `'${entry}' is no ${what}: ${flag} takes IP addresses and blocks such as 10.0.0.0/8`,
      );
    }
    blocks.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
  }
  return blocks;
}

function readUpstream(settings: {
  upstreamTimeout: number;
  upstreamConcurrency: number;
  upstreamAllow: readonly string[];
  upstreamCa: string | undefined;
  upstreamCert: string | undefined;
  upstreamKey: string | undefined;
  upstreamProxy: string | undefined;
}): EdgeConfig['upstream'] {
  const { upstreamTimeout, upstreamConcurrency, upstreamAllow } = settings;
  const { upstreamCa, upstreamCert, upstreamKey, upstreamProxy } = settings;
  if ((upstreamCert === undefined) !== (upstreamKey === undefined)) {
    throw new SettingsError(
      'a certificate for upstreams needs both --upstream-cert and --upstream-key',
    );
  }
  return {
    http: {
      allow: readBlocks(upstreamAllow, 'address', '--upstream-allow'),
      connections: upstreamConcurrency,
      ca: readPem(upstreamCa),
      cert: readPem(upstreamCert),
      key: readPem(upstreamKey),
      proxy: upstreamProxy,
    },
    limits: { timeoutMs: upstreamTimeout * 1000, concurrency: upstreamConcurrency },
  };
}

function readPem(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new SettingsError(`cannot read the TLS file ${file}`);
  }
}

function readTls(cert: string | undefined, key: string | undefined): EdgeConfig['tls'] {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new SettingsError('TLS needs both --tls-cert and --tls-key');
  }
  for (const file of [cert, key]) {
    try {
      accessSync(file, constants.R_OK);
    } catch {
      throw new SettingsError(`cannot read the TLS file ${file}`);
    }
  }
  return { cert, key };
}
