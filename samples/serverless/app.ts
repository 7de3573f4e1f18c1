import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { SLOW_REQUEST_LIMITS } from '@trunkline/foundation';
import { createManager } from '@trunkline/sdk';
import type { Logger } from '@trunkline/telemetry';
import { parseConnectionString } from '@trunkline/tokens';
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { upstreamEvents } from './events.ts';
import { HUB } from './hub.ts';
import type { RoomClient } from './hub.ts';

const MAX_NAME = 40;
/** What a REST call may take, second tries included: the edge waits for the answer to its event. */
const REST_MS = 5_000;

/** The page: path, type, file. */
const FILES = [
  ['/', 'text/html', new URL('public/index.html', import.meta.url)],
  ['/page.js', 'text/javascript', new URL('public/page.js', import.meta.url)],
  ['/style.css', 'text/css', new URL('public/style.css', import.meta.url)],
  [
    '/signalr.js',
    'text/javascript',
    new URL('../browser/signalr.min.js', import.meta.resolve('@microsoft/signalr')),
  ],
] as const;

/**
 * The sample, not listening yet: the page, negotiate, and what the edge calls. It opens no connection:
 * to the edge it speaks by REST, and only when there is something to say. Throws when the connection
 * string is not one.
 */
export async function createApp(
  connectionString: string,
  logger: Logger,
): Promise<FastifyInstance> {
  const { accessKey } = parseConnectionString(connectionString);
  const hub = createManager({ connectionString, timeout: REST_MS }).hub<RoomClient>(HUB);

  const app = fastify(SLOW_REQUEST_LIMITS);
  app.addHook('onError', async (_request, _reply, err) => logger.warn({ err }, 'request failed'));
  for (const [path, type, file] of FILES) {
    app.get(path, async (_request, reply) =>
      reply.type(`${type}; charset=utf-8`).send(await readFile(file)),
    );
  }
  // Nobody signs in here: an app of yours takes the user from its session.
  app.post<{ Querystring: { user?: unknown } }>('/negotiate', async ({ query }, reply) => {
    const answer = hub.negotiate({ userId: nameFrom(query.user) });
    return reply.header('cache-control', 'no-store').send(answer);
  });
  await app.register(upstreamEvents(hub, accessKey), { prefix: '/events' });
  return app;
}

/** The name that somebody wants, or one for a guest. */
function nameFrom(wanted: unknown): string {
  const characters = typeof wanted === 'string' ? Array.from(wanted.trim()) : [];
  return characters.slice(0, MAX_NAME).join('') || `guest ${randomInt(1000, 10_000)}`;
}
