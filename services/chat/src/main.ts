import { listen, packageVersion, runService } from '@trunkline/foundation';
import type { Running } from '@trunkline/foundation';
import { SettingsError } from '@trunkline/settings';
import { createLogger } from '@trunkline/telemetry';
import type { Logger } from '@trunkline/telemetry';
import { createChat } from './app.ts';
import type { ChatApp } from './app.ts';
import { CHAT_OPTIONS, readChatSettings } from './options.ts';

/** Calls and answers in flight have this long to finish; then their connections are cut. Under 5 s. */
const STOP_TIMEOUT_MS = 4000;

const version = packageVersion(import.meta.url);
const PROGRAM = { name: 'trunkline-chat', version, table: CHAT_OPTIONS, configFile: false };

async function start(argv: readonly string[]): Promise<Running> {
  const settings = readChatSettings(argv, process.env);
  const logger = createLogger({ name: 'chat', level: settings.logLevel, version });
  const chat = await createChat(settings.connectionString, logger);
  const url = await listen(chat.app, settings);
  logger.info({ url }, 'chat listening');
  // The page is served meanwhile: it waits for the edge as well as we do.
  return { stop: (why) => stop(chat, logger, why), failed: connect(chat, url, logger) };
}

/** Rejects only when the edge refuses the access key; otherwise the server keeps trying. `url`: the page's. */
async function connect({ server }: ChatApp, url: string, logger: Logger): Promise<never> {
  try {
    await server.start();
  } catch (error) {
    const { message } = error as Error;
    throw new SettingsError(`${message}: check the access key in TRUNKLINE_CONNECTION_STRING`);
  }
  logger.info({ url }, 'connected to the edge');
  return new Promise(() => {});
}

async function stop({ app, server }: ChatApp, logger: Logger, why: string): Promise<void> {
  logger.info({ why, clients: server.health.clients }, 'chat stops');
  const cut = setTimeout(() => app.server.closeAllConnections(), STOP_TIMEOUT_MS);
  await Promise.all([app.close(), server.stop({ timeout: STOP_TIMEOUT_MS })]);
  clearTimeout(cut);
}

await runService(PROGRAM, start);
