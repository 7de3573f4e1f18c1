import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { redactText, redactUrl } from './redact.ts';
import { stdout } from './stdout.ts';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export interface LoggerOptions {
  /** The `service` of every line, such as `edge`. */
  readonly name: string;
  readonly level: (typeof LOG_LEVELS)[number];
  readonly version?: string;
}

/** Fields that hold nothing but a secret, whatever it looks like. */
const SECRET_FIELDS = [
  'access_token',
  'accessToken',
  'authorization',
  'token',
  'accessKey',
  'accessKeys',
  'connectionString',
];

/**
 * A logger that writes JSON lines, with the level as text and the time in ISO format. Secrets never
 * get out: fields that hold one are masked by name, at the top and one level down, a `url` as
 * `redactUrl` does, and every finished line, messages and stacks included, by `redactText`.
 */
export function createLogger(
  { name, level, version }: LoggerOptions,
  destination: DestinationStream = stdout(),
): Logger {
  const options = {
    level,
    base: { service: name, ...(version === undefined ? {} : { version }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]),
      censor: '[redacted]',
    },
    serializers: {
      url: (url: unknown) => (typeof url === 'string' ? redactUrl(url) : url),
    },
    hooks: { streamWrite: redactText },
  };
  return pino(options, destination);
}
