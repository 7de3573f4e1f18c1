import { promisify } from 'node:util';
import { listen, packageVersion, runService } from '@trunkline/foundation';
import type { Running } from '@trunkline/foundation';
import { SettingsError } from '@trunkline/settings';
import { createLogger } from '@trunkline/telemetry';
import type { Logger } from '@trunkline/telemetry';
import type { FastifyInstance } from 'fastify';
import { buildApp } from './app.ts';
import { Desk } from './desk.ts';
import { NEGOTIATE_OPTIONS, readNegotiateSettings } from './options.ts';

/** Answers in flight have this long to finish; then their connections are cut. */
const STOP_TIMEOUT_MS = 5_000;

const version = packageVersion(import.meta.url);
const PROGRAM = {
  name: 'trunkline-negotiate',
  version,
  table: NEGOTIATE_OPTIONS,
  configFile: true,
};

async function start(argv: readonly string[]): Promise<Running> {
  const settings = readNegotiateSettings(argv, process.env);
  const logger = createLogger({ name: 'negotiate', level: settings.logLevel, version });
  if (settings.admission.dev) logger.warn('--dev: anyone may come in under any name');
  const desk = new Desk(settings);
  const app = await buildApp(settings, desk, logger);
  const url = await listen(app, settings);
  logger.info({ url }, 'negotiate listening');
  process.on('SIGHUP', () => readSecretsAgain(argv, desk, logger));
  return { stop: (why) => stop(app, logger, why) };
}

/** Secrets are the settings that change while the service runs; the others need a restart. */
function readSecretsAgain(argv: readonly string[], desk: Desk, logger: Logger): void {
  try {
    desk.use(readNegotiateSettings(argv, process.env));
    logger.info('secrets read again');
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    logger.error({ reason: error.message }, 'secrets not read: the old ones stay');
  }
}

async function stop(app: FastifyInstance, logger: Logger, why: string): Promise<void> {
  const connections = await promisify(app.server.getConnections.bind(app.server))();
  logger.info({ why, connections }, 'negotiate stops');
  const cut = setTimeout(() => app.server.closeAllConnections(), STOP_TIMEOUT_MS);
  await app.close();
  clearTimeout(cut);
}

await runService(PROGRAM, start);
