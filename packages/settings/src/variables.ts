import { SettingsError } from './errors.ts';

/** Every variable that some process reads. Processes share an environment under `npm start`. */
export const KNOWN_VARIABLES: readonly string[] = [
  'TRUNKLINE_ACCESS_KEYS',
  'TRUNKLINE_ACCESS_KEYS_FILE',
  'TRUNKLINE_ADMIN_HOST',
  'TRUNKLINE_ADMIN_PORT',
  'TRUNKLINE_ALLOWED_ORIGINS',
  'TRUNKLINE_BUS',
  'TRUNKLINE_BUS_CA',
  'TRUNKLINE_BUS_CREDENTIALS',
  'TRUNKLINE_BUS_FILE',
  'TRUNKLINE_CHAT_HOST',
  'TRUNKLINE_CHAT_PORT',
  'TRUNKLINE_CLIENT_QUEUE_BYTES',
  'TRUNKLINE_CLUSTER',
  'TRUNKLINE_CONFIG',
  'TRUNKLINE_CONNECTION_STRING',
  'TRUNKLINE_CONNECTION_STRING_FILE',
  'TRUNKLINE_DEV',
  'TRUNKLINE_DEV_PUBLIC',
  'TRUNKLINE_DRAIN_RATE',
  'TRUNKLINE_DRAIN_TIMEOUT',
  'TRUNKLINE_EDGE_ID',
  'TRUNKLINE_HOST',
  'TRUNKLINE_LOG_LEVEL',
  'TRUNKLINE_MAX_BATCH_BYTES',
  'TRUNKLINE_MAX_CONNECTIONS',
  'TRUNKLINE_MAX_HUBS',
  'TRUNKLINE_MAX_MESSAGE_BYTES',
  'TRUNKLINE_MAX_REQUESTS',
  'TRUNKLINE_MIGRATION',
  'TRUNKLINE_NEGOTIATE_AUDIENCE',
  'TRUNKLINE_NEGOTIATE_HOST',
  'TRUNKLINE_NEGOTIATE_HUBS',
  'TRUNKLINE_NEGOTIATE_ISSUER',
  'TRUNKLINE_NEGOTIATE_PORT',
  'TRUNKLINE_NEGOTIATE_SECRET',
  'TRUNKLINE_NEGOTIATE_SECRET_FILE',
  'TRUNKLINE_POLL_TIMEOUT',
  'TRUNKLINE_PORT',
  'TRUNKLINE_PROCESSES',
  'TRUNKLINE_PUBLIC_URL',
  'TRUNKLINE_REBALANCE',
  'TRUNKLINE_SERVER_WAIT',
  'TRUNKLINE_TLS_CERT',
  'TRUNKLINE_TLS_KEY',
  'TRUNKLINE_TRANSPORTS',
  'TRUNKLINE_TRUSTED_PROXIES',
  'TRUNKLINE_UPSTREAM_ALLOW',
  'TRUNKLINE_UPSTREAM_CA',
  'TRUNKLINE_UPSTREAM_CERT',
  'TRUNKLINE_UPSTREAM_CONCURRENCY',
  'TRUNKLINE_UPSTREAM_KEY',
  'TRUNKLINE_UPSTREAM_PROXY',
  'TRUNKLINE_UPSTREAM_PROXY_FILE',
  'TRUNKLINE_UPSTREAM_TIMEOUT',
];

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The `TRUNKLINE_` variables that were set for us. Kubernetes adds its own for every service, and
 * one named `trunkline` even makes `TRUNKLINE_PORT=tcp://...`: those, and empty ones, are left out.
 * Such a value under any other name is somebody's mistake, which the setting's own check tells.
 */
export function ownVariables(env: Environment): Map<string, string> {
  const own = new Map<string, string>();
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('TRUNKLINE_') || value === undefined || value === '') continue;
    if (/_SERVICE_|_PORT_\d+_/.test(name)) continue;
    if (name.endsWith('_PORT') && value.startsWith('tcp://')) continue;
    own.set(name, value);
  }
  return own;
}

/** @throws SettingsError for the first variable that no process reads */
export function refuseUnknown(variables: Iterable<string>, known: ReadonlySet<string>): void {
  for (const name of variables) {
    if (!known.has(name)) {
      throw new SettingsError(
        `${name} is not a setting; unset it or correct its name (see --help)`,
      );
    }
  }
}
