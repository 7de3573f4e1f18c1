import { runProcess, stopRequest } from '@trunkline/foundation';
import type { Running } from '@trunkline/foundation';
import { SettingsError } from '@trunkline/settings';
import { createLogger } from '@trunkline/telemetry';
import { DEVELOPMENT_CONNECTION_STRING } from '@trunkline/tokens';
import type { FastifyInstance } from 'fastify';
import { createApp } from './app.ts';

const HOST = '127.0.0.1';
const { PORT = '3000', TRUNKLINE_CONNECTION_STRING = DEVELOPMENT_CONNECTION_STRING } = process.env;

async function start(): Promise<Running> {
  const logger = createLogger({ name: 'serverless', level: 'info' });
  const app = await createApp(TRUNKLINE_CONNECTION_STRING, logger);
  logger.info({ url: await listen(app) }, 'serverless listening');
  return { stop: () => app.close() };
}

async function listen(app: FastifyInstance): Promise<string> {
  try {
    return await app.listen({ host: HOST, port: Number(PORT) });
  } catch (error) {
    const { code = error } = error as NodeJS.ErrnoException;
    throw new SettingsError(
      `cannot listen on ${HOST} port ${PORT} (${String(code)}): set PORT to another`,
    );
  }
}

await runProcess('trunkline-serverless', start, stopRequest(process));
