import { readFileSync } from 'node:fs';
import { SettingsError } from '@trunkline/settings';
import { parseUrl } from '@trunkline/tokens';

/** Who to be for an engine: what stands in front of the `@` of a URL. */
interface Login {
  readonly user: string | undefined;
  readonly password: string | undefined;
}

interface Common extends Login {
  /** For people: without a secret. */
  readonly shown: string;
  readonly tls: boolean;
  /** PEM of the authority that vouches for the engine; the system's own when undefined. */
  readonly ca: string | undefined;
}

export interface NatsAddress extends Common {
  readonly kind: 'nats';
  /** `host:port`. A user without a password is a token. */
  readonly servers: readonly string[];
  /** Content of a credentials file. */
  readonly credentials: Uint8Array | undefined;
}

export interface RedisAddress extends Common {
  readonly kind: 'redis';
  readonly host: string;
  readonly port: number;
}

/** Where the bus is. */
export type BusAddress = { readonly kind: 'memory' } | NatsAddress | RedisAddress;

/** The settings that say it. */
export interface BusSettings {
  readonly bus: string;
  readonly busCa: string | undefined;
  readonly busCredentials: string | undefined;
}

const PORTS = { nats: 4222, redis: 6379 } as const;
const SCHEMES: Readonly<Record<string, { kind: 'nats' | 'redis'; tls: boolean }>> = {
  'nats:': { kind: 'nats', tls: false },
  'tls:': { kind: 'nats', tls: true },
  'redis:': { kind: 'redis', tls: false },
  'rediss:': { kind: 'redis', tls: true },
};
const FORMS =
  'memory, nats://host[:port][,nats://...], tls://host[:port][,tls://...], redis://host[:port] or rediss://host[:port]';

/** Throws SettingsError with a line that has no part of a secret in it. */
export function readBusAddress({ bus, busCa, busCredentials }: BusSettings): BusAddress {
  if (bus === 'memory') {
    refuse(busCa, '--bus-ca', 'a bus with TLS');
    refuse(busCredentials, '--bus-credentials', 'NATS');
    return { kind: 'memory' };
  }
  const urls = bus.split(',').map((text) => readUrl(text.trim()));
  const { kind, tls } = SCHEMES[urls[0]!.protocol]!;
  if (urls.some(({ protocol }) => protocol !== urls[0]!.protocol)) {
    throw new SettingsError('--bus: several servers must all have the same scheme');
  }
  if (!tls) refuse(busCa, '--bus-ca', 'tls:// and rediss://');
  const servers = urls.map(({ hostname, port }) => `${hostname}:${port || PORTS[kind]}`);
  const shown = servers.map((server) => `${urls[0]!.protocol}//${server}`).join(',');
  const ca = busCa === undefined ? undefined : readFile(busCa, '--bus-ca').toString();
  const common = { ...readLogin(urls), shown, tls, ca };
  if (kind === 'nats') return { ...common, kind, servers, credentials: readCreds(busCredentials) };
  refuse(busCredentials, '--bus-credentials', 'NATS');
  const [{ hostname, port }, ...others] = urls as [URL, ...URL[]];
  if (common.user !== undefined && common.password === undefined) {
    throw new SettingsError('--bus: of Redis, a user needs a password: redis://user:password@host');
  }
  if (others.length > 0) throw new SettingsError('--bus: of Redis, name one server');
  return {
    ...common,
    kind,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || PORTS[kind]),
  };
}

function readUrl(text: string): URL {
  const url = parseUrl(text);
  const isBus = url !== undefined && SCHEMES[url.protocol] !== undefined && url.hostname !== '';
  if (isBus) return url;
  const shown = url === undefined || url.host === '' ? 'the value' : `${url.protocol}//${url.host}`;
  throw new SettingsError(`--bus: ${shown} is not ${FORMS}`);
}

/** The login of the first that has one: servers of one cluster share it. */
function readLogin(urls: readonly URL[]): Login {
  const named = urls.find(({ username, password }) => username !== '' || password !== '');
  const decoded = (text: string | undefined): string | undefined =>
    text ? decodeURIComponent(text) : undefined;
  try {
    return { user: decoded(named?.username), password: decoded(named?.password) };
  } catch {
    throw new SettingsError('--bus: user and password must be percent-encoded where they have a %');
  }
}

function readCreds(path: string | undefined): Uint8Array | undefined {
  return path === undefined ? undefined : readFile(path, '--bus-credentials');
}

function readFile(path: string, flag: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    throw new SettingsError(`${flag}: cannot read ${path}`);
  }
}

/** A setting that would do nothing is one that was meant for something else. */
function refuse(value: string | undefined, flag: string, isFor: string): void {
  if (value !== undefined)
    throw new SettingsError(`${flag} is for ${isFor}, and --bus is not that`);
}
