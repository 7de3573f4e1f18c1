import { defineOptions, KNOWN_VARIABLES, readSettings, SettingsError } from '@trunkline/settings';
import type { Settings } from '@trunkline/settings';
import { LOG_LEVELS } from '@trunkline/telemetry';
import {
  ConnectionStringError,
  DEVELOPMENT_CONNECTION_STRING,
  parseConnectionString,
} from '@trunkline/tokens';
import type { ConnectionString } from '@trunkline/tokens';

/** Everything the negotiate service can be told; `--help` and its documentation come from here. */
export const NEGOTIATE_OPTIONS = defineOptions({
  port: {
    kind: 'port',
    env: 'TRUNKLINE_NEGOTIATE_PORT',
    default: 8081,
    help: 'Port to listen on; 0 takes any free one.',
  },
  host: {
    kind: 'string',
    env: 'TRUNKLINE_NEGOTIATE_HOST',
    default: '0.0.0.0',
    devDefault: '127.0.0.1',
    listens: true,
    help: 'Address to listen on.',
  },
  connectionString: {
    kind: 'string',
    devDefault: DEVELOPMENT_CONNECTION_STRING,
    secret: true,
    help: 'Where clients are sent, and the access key that signs their tokens.',
  },
  secret: {
    kind: 'string',
    env: 'TRUNKLINE_NEGOTIATE_SECRET',
    secret: true,
    help: "Verifies callers' own JSON web tokens (HS256, HS384, HS512). Required without --dev.",
  },
  allowedOrigins: {
    kind: 'list',
    default: ['*'],
    help: 'Origins that browsers may call from; * is any.',
  },
  logLevel: {
    kind: 'choice',
    choices: LOG_LEVELS,
    default: 'info',
    help: 'Least severe log lines to write.',
  },
  dev: {
    kind: 'flag',
    help: 'Let anyone in, named by ?user=, with the development key. Never in production.',
  },
  devPublic: {
    kind: 'flag',
    help: 'Listen beyond this machine with --dev too, where anybody may come in.',
  },
});

/** Who may come in: anyone, or who brings a token made with the secret. */
export type Admission = { readonly dev: true } | { readonly dev: false; readonly secret: string };

export interface NegotiateSettings extends Pick<
  Settings<typeof NEGOTIATE_OPTIONS>,
  'port' | 'host' | 'allowedOrigins' | 'logLevel'
> {
  readonly connection: ConnectionString;
  readonly admission: Admission;
}

/** @throws SettingsError with one line that says what to change */
export function readNegotiateSettings(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): NegotiateSettings {
  const settings = readSettings(NEGOTIATE_OPTIONS, {
    argv,
    env,
    others: KNOWN_VARIABLES,
    configFile: true,
  });
  const { port, host, allowedOrigins, logLevel } = settings;
  const connection = readConnection(settings.connectionString);
  return { port, host, allowedOrigins, logLevel, connection, admission: admission(settings) };
}

function readConnection(text: string | undefined): ConnectionString {
  if (text === undefined) {
    throw new SettingsError(
      'no connection string: set TRUNKLINE_CONNECTION_STRING or --connection-string, or use --dev',
    );
  }
  try {
    return parseConnectionString(text);
  } catch (error) {
    if (error instanceof ConnectionStringError) throw new SettingsError(error.message);
    throw error;
  }
}

function admission({ dev, secret }: { dev: boolean; secret: string | undefined }): Admission {
  if (dev) return { dev };
  if (secret === undefined) {
    throw new SettingsError(
      'no secret to verify callers with: set TRUNKLINE_NEGOTIATE_SECRET or --secret, or use --dev',
    );
  }
  return { dev, secret };
}
