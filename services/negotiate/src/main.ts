import { promisify } from 'node:util';
import { packageVersion, runProcess, stopRequest } from '@trunkline/foundation';
import type { Running } from '@trunkline/foundation';
import { information, SettingsError } from '@trunkline/settings';
import { createLogger } from '@trunkline/telemetry';
import type { Logger } from '@trunkline/telemetry';
import type { FastifyInstance } from 'fastify';
import { buildApp } from './app.ts';
import { Desk } from './desk.ts';
import { NEGOTIATE_OPTIONS, readNegotiateSettings } from './options.ts';
import type { NegotiateSettings } from './options.ts';

/** Answers in flight have this long to finish; then their connections are cut. */
const STOP_TIMEOUT_MS = 5_000;

const version = packageVersion(import.meta.url);
const PROGRAM = {
  name: 'trunkline-negotiate',
  version,
  table: NEGOTIATE_OPTIONS,
  configFile: true,
};

async function start(): Promise<Running | undefined> {
  const argv = process.argv.slice(2);
  const asked = information(argv, PROGRAM);
  if (asked !== undefined) {
    process.stdout.write(asked);
    return undefined;
  }
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

async function listen(app: FastifyInstance, { host, port }: NegotiateSettings): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new SettingsError(
      `cannot listen on ${host} port ${port} (${code}): choose another --host or --port`,
    );
  }
}

async function stop(app: FastifyInstance, logger: Logger, why: string): Promise<void> {
  const connections = await promisify(app.server.getConnections.bind(app.server))();
  logger.info({ why, connections }, 'negotiate stops');
  const cut = setTimeout(() => app.server.closeAllConnections(), STOP_TIMEOUT_MS);
  await app.close();
  clearTimeout(cut);
}

await runProcess(PROGRAM.name, start, stopRequest(process));
