import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { createServer } from '@trunkline/sdk';
import type { Server } from '@trunkline/sdk';
import type { Logger } from '@trunkline/telemetry';
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { createChatHub } from './chat-hub.ts';
import { Rooms } from './rooms.ts';

const PAGE = fileURLToPath(new URL('../public', import.meta.url));
const SIGNALR = fileURLToPath(new URL('../browser', import.meta.resolve('@microsoft/signalr')));

/** No tutorial's: an app that somebody tries beside the sample is to have clients of its own. */
const HUB = 'trunkline_chat_sample';

export interface ChatApp {
  /** The page at `/` and `POST /chat/negotiate`; not listening yet. */
  readonly app: FastifyInstance;
  /** The hub's server connections; not started yet, and negotiate answers 503 until then. */
  readonly server: Server;
}

/** Puts the sample together. Throws when the connection string is not one. */
export async function createChat(connectionString: string, logger: Logger): Promise<ChatApp> {
  const server = createServer({
    connectionString,
    logger: {
      info: (message) => logger.info(message),
      warn: (message) => logger.warn(message),
      error: (message, error) => logger.error({ err: error }, message),
    },
  });
  server.hub('/chat', createChatHub(new Rooms()), {
    hub: HUB,
    // A page that comes from another app server joins its room again.
    migration: 'always',
  });

  const app = fastify();
  app.addHook('onError', async (_request, _reply, error) => {
    logger.warn({ err: error }, 'request failed');
  });
  await app.register(fastifyStatic, { root: PAGE });
  app.get('/signalr.js', (_request, reply) => reply.sendFile('signalr.min.js', SIGNALR));
  // Nobody signs in here: a name is no more than what the page says when it joins a room.
  await app.register(server.fastify({ userId: () => undefined }));
  return { app, server };
}
