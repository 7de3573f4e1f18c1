import type { FastifyInstance } from 'fastify';
import { fastify } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { anyAnswers200 } from './ask.ts';

const apps: FastifyInstance[] = [];

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

/** An edge that answers so, or, without a status, never. */
async function edge(status?: number) {
  const app = fastify({ forceCloseConnections: true });
  apps.push(app);
  app.get('/ready', (_request, reply) =>
    status === undefined ? new Promise(() => {}) : reply.code(status).send({}),
  );
  return { adminUrl: await app.listen({ host: '127.0.0.1', port: 0 }) };
}

const GONE = { adminUrl: undefined };

test('that one edge answers 200 is known while others do not answer', async () => {
  const edges = [GONE, await edge(), await edge(503), await edge(200)];
  // Whoever waits for all of them waits for longer than a test may take.
  expect(await anyAnswers200(edges, { path: '/ready', withinMs: 3_600_000 })).toBe(true);
});

test('that none does is known when each has answered, or is late', async () => {
  const question = { path: '/ready', withinMs: 100 };
  expect(await anyAnswers200([GONE, await edge(), await edge(503)], question)).toBe(false);
});
