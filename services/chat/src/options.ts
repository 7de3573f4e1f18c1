import { defineOptions, KNOWN_VARIABLES, readSettings, SettingsError } from '@trunkline/settings';
import type { Settings } from '@trunkline/settings';
import { LOG_LEVELS } from '@trunkline/telemetry';
import {
  ConnectionStringError,
  DEVELOPMENT_CONNECTION_STRING,
  parseConnectionString,
} from '@trunkline/tokens';

/** Everything the sample can be told; `--help` and its documentation come from here. */
export const CHAT_OPTIONS = defineOptions({
  port: {
    kind: 'port',
    env: 'TRUNKLINE_CHAT_PORT',
    default: 3000,
    help: 'Port of the page and of negotiate; 0 takes any free one.',
  },
  host: {
    kind: 'string',
    env: 'TRUNKLINE_CHAT_HOST',
    default: '127.0.0.1',
    listens: true,
    help: 'Address to listen on.',
  },
  connectionString: {
    kind: 'string',
    devDefault: DEVELOPMENT_CONNECTION_STRING,
    secret: true,
    help: 'Where the edge is and its access key. Required without --dev.',
  },
  logLevel: {
    kind: 'choice',
    choices: LOG_LEVELS,
    default: 'info',
    help: 'Least severe log lines to write.',
  },
  dev: { kind: 'flag', help: 'Use the edge that runs with --dev on this machine.' },
  devPublic: {
    kind: 'flag',
    help: 'Listen beyond this machine with --dev too, where anybody may come in.',
  },
});

export interface ChatSettings extends Settings<typeof CHAT_OPTIONS> {
  readonly connectionString: string;
}

/** @throws SettingsError with one line that says what to change */
export function readChatSettings(argv: readonly string[], env: NodeJS.ProcessEnv): ChatSettings {
  const settings = readSettings(CHAT_OPTIONS, { argv, env, others: KNOWN_VARIABLES });
  return { ...settings, connectionString: checked(settings.connectionString) };
}

function checked(connectionString: string | undefined): string {
  if (connectionString === undefined) {
    throw new SettingsError(
      'no connection string: set TRUNKLINE_CONNECTION_STRING, TRUNKLINE_CONNECTION_STRING_FILE or --connection-string, or use --dev',
    );
  }
  try {
    parseConnectionString(connectionString);
  } catch (error) {
    if (error instanceof ConnectionStringError) throw new SettingsError(error.message);
    throw error;
  }
  return connectionString;
}
