import { HUB_NAME, HUB_NAME_RULE } from '@trunkline/protocol';
import {
  defineOptions,
  KNOWN_VARIABLES,
  readOrigins,
  readSettings,
  SettingsError,
} from '@trunkline/settings';
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
    isKey: true,
    help: "Verifies callers' own JSON web tokens (HS256, HS384, HS512), which must have an exp; 32 bytes or more. Read again on SIGHUP, as the connection string is. Required without --dev.",
  },
  audience: {
    kind: 'string',
    env: 'TRUNKLINE_NEGOTIATE_AUDIENCE',
    help: "The aud that callers' tokens must have. Any when not given.",
  },
  issuer: {
    kind: 'string',
    env: 'TRUNKLINE_NEGOTIATE_ISSUER',
    help: "The iss that callers' tokens must have. Any when not given.",
  },
  hubs: {
    kind: 'list',
    env: 'TRUNKLINE_NEGOTIATE_HUBS',
    help: 'Hubs that callers may be sent to, in any case; others are answered 404. Required without --dev, where it is any when not given.',
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

/** Who may come in: anyone, or who brings a token made with the secret, of these if they are given. */
export type Admission =
  | { readonly dev: true }
  | {
      readonly dev: false;
      readonly secret: string;
      readonly audience: string | undefined;
      readonly issuer: string | undefined;
    };

export interface NegotiateSettings extends Pick<
  Settings<typeof NEGOTIATE_OPTIONS>,
  'port' | 'host' | 'logLevel'
> {
  /** Canonical, as browsers send them, or `*` for every one. */
  readonly allowedOrigins: readonly string[];
  readonly connection: ConnectionString;
  readonly admission: Admission;
  /** In lower case; undefined: any. */
  readonly hubs: ReadonlySet<string> | undefined;
}

type Given = Settings<typeof NEGOTIATE_OPTIONS>;

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
  const { port, host, logLevel } = settings;
  const connection = readConnection(settings.connectionString);
  return {
    port,
    host,
    allowedOrigins: readOrigins(settings.allowedOrigins),
    logLevel,
    connection,
    admission: admission(settings),
    hubs: readHubs(settings),
  };
}

function readHubs({ dev, hubs }: Given): NegotiateSettings['hubs'] {
  if (hubs === undefined) {
    if (dev) return undefined;
    throw new SettingsError(
      'no hubs: set TRUNKLINE_NEGOTIATE_HUBS or --hubs to those that callers may be sent to, or use --dev',
    );
  }
  const wrong = hubs.find((hub) => !HUB_NAME.test(hub));
  if (wrong !== undefined) throw new SettingsError(`--hubs: '${wrong}' is none: ${HUB_NAME_RULE}`);
  return new Set(hubs.map((hub) => hub.toLowerCase()));
}

function readConnection(text: string | undefined): ConnectionString {
  if (text === undefined) {
    throw new SettingsError(
      'no connection string: set TRUNKLINE_CONNECTION_STRING, TRUNKLINE_CONNECTION_STRING_FILE or --connection-string, or use --dev',
    );
  }
  try {
    return parseConnectionString(text);
  } catch (error) {
    if (error instanceof ConnectionStringError) throw new SettingsError(error.message);
    throw error;
  }
}

function admission({ dev, secret, audience, issuer }: Given): Admission {
  if (dev) return { dev };
  if (secret === undefined) {
    throw new SettingsError(
      'no secret to verify callers with: set TRUNKLINE_NEGOTIATE_SECRET, TRUNKLINE_NEGOTIATE_SECRET_FILE or --secret, or use --dev',
    );
  }
  return { dev, secret, audience, issuer };
}
