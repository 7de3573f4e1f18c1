import { packageVersion, runProcess, stopRequest } from '@trunkline/foundation';
import type { Running } from '@trunkline/foundation';
import { information, SettingsError } from '@trunkline/settings';
import { createLogger } from '@trunkline/telemetry';
import type { Logger } from '@trunkline/telemetry';
import type { FastifyInstance } from 'fastify';
import { createChat } from './app.ts';
import type { ChatApp } from './app.ts';
import { CHAT_OPTIONS, readChatSettings } from './options.ts';
import type { ChatSettings } from './options.ts';

/** Calls and answers in flight have this long to finish; then their connections are cut. Under 5 s. */
const STOP_TIMEOUT_MS = 4000;

const version = packageVersion(import.meta.url);
const PROGRAM = { name: 'trunkline-chat', version, table: CHAT_OPTIONS, configFile: false };

async function start(): Promise<Running | undefined> {
  const argv = process.argv.slice(2);
  const asked = information(argv, PROGRAM);
  if (asked !== undefined) {
    process.stdout.write(asked);
    return undefined;
  }
  const settings = readChatSettings(argv, process.env);
  const logger = createLogger({ name: 'chat', level: settings.logLevel, version });
  const chat = await createChat(settings.connectionString, logger);
  const url = await listen(chat.app, settings);
  logger.info({ url }, 'chat listening');
  // The page is served meanwhile: it waits for the edge as well as we do.
  return { stop: (why) => stop(chat, logger, why), failed: connect(chat, logger) };
}

async function listen(app: FastifyInstance, { host, port }: ChatSettings): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new SettingsError(
      `cannot listen on ${host} port ${port} (${code ?? message}): choose another --host or --port`,
    );
  }
}

/** Rejects only when the edge refuses the access key; otherwise the server keeps trying. */
async function connect({ server }: ChatApp, logger: Logger): Promise<never> {
  try {
    await server.start();
  } catch (error) {
    const { message } = error as Error;
    throw new SettingsError(`${message}: check the access key in TRUNKLINE_CONNECTION_STRING`);
  }
  logger.info('connected to the edge');
  return new Promise(() => {});
}

async function stop({ app, server }: ChatApp, logger: Logger, why: string): Promise<void> {
  logger.info({ why, clients: server.health.clients }, 'chat stops');
  const cut = setTimeout(() => app.server.closeAllConnections(), STOP_TIMEOUT_MS);
  await Promise.all([app.close(), server.stop({ timeout: STOP_TIMEOUT_MS })]);
  clearTimeout(cut);
}

await runProcess(PROGRAM.name, start, stopRequest(process));
