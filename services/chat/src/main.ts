import { helpText, SettingsError, wantsHelp } from '@trunkline/settings';
import { createLogger } from '@trunkline/telemetry';
import type { FastifyInstance } from 'fastify';
import { createChat } from './app.ts';
import type { ChatApp } from './app.ts';
import { CHAT_OPTIONS, readChatSettings } from './options.ts';
import type { ChatSettings } from './options.ts';

/** Calls and answers in flight have this long to finish; then their connections are cut. */
const STOP_TIMEOUT_MS = 5000;

/** Runs until asked to stop and resolves with the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  if (wantsHelp(argv)) {
    process.stdout.write(helpText('trunkline-chat [options]', CHAT_OPTIONS));
    return 0;
  }
  const stopping = stopRequest();
  const settings = readChatSettings(argv, process.env);
  const logger = createLogger({ name: 'chat', level: settings.logLevel });
  const chat = await createChat(settings.connectionString, logger);
  const url = await listen(chat.app, settings);
  logger.info({ url }, 'chat listening');
  try {
    // The page is served meanwhile: it waits for the edge as well as we do.
    await Promise.race([connect(chat, () => logger.info('connected to the edge')), stopping]);
    await stopping;
  } finally {
    await stop(chat);
  }
  logger.info('chat stopped');
  return 0;
}

/**
 * Resolves when this process is asked to stop: by a signal, or by the end of a parent with an IPC
 * channel. The listeners stay, because npm delivers a terminal's signal a second time.
 */
function stopRequest(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
    if (process.channel) process.on('disconnect', () => resolve());
  });
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
async function connect({ server }: ChatApp, connected: () => void): Promise<void> {
  try {
    await server.start();
  } catch (error) {
    const { message } = error as Error;
    throw new SettingsError(`${message}: check the access key in TRUNKLINE_CONNECTION_STRING`);
  }
  connected();
}

async function stop({ app, server }: ChatApp): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), STOP_TIMEOUT_MS);
  await Promise.all([app.close(), server.stop({ timeout: STOP_TIMEOUT_MS })]);
  clearTimeout(cut);
}

async function exitCode(): Promise<number> {
  try {
    return await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`trunkline-chat: ${error.message}\n`);
    return 1;
  }
}

process.exit(await exitCode());
