import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { SLOW_REQUEST_LIMITS } from '@trunkline/foundation';
import { createServer } from '@trunkline/sdk';
import type { Server } from '@trunkline/sdk';
import { startDigest } from '@trunkline/telemetry';
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
  const { digest, stop } = startDigest(logger);
  const server = createServer({
    connectionString,
    logger: {
      info: (text) => digest.info({ text }, 'app server'),
      warn: (text) => digest.warn({ text }, 'app server'),
      error: (text, error) => digest.error({ text }, 'app server', { err: error }),
    },
  });
  server.hub('/chat', createChatHub(new Rooms()), {
    hub: HUB,
    // A page that comes from another app server joins its room again.
    migration: 'always',
  });

  const app = fastify(SLOW_REQUEST_LIMITS);
  app.addHook('onClose', async () => stop());
  app.addHook('onError', async (_request, _reply, error) => {
    digest.warn({}, 'request failed', { err: error });
  });
  await app.register(fastifyStatic, { root: PAGE });
  app.get('/signalr.js', (_request, reply) => reply.sendFile('signalr.min.js', SIGNALR));
  // Nobody signs in here: a name is no more than what the page says when it joins a room.
  await app.register(server.fastify({ userId: () => undefined }));
  return { app, server };
}
