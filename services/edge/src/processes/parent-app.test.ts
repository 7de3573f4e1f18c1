import type { FastifyInstance } from 'fastify';
import { fastify } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { createParentApp } from './parent-app.ts';

const apps: FastifyInstance[] = [];

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

/** An edge whose admin port answers so. */
async function edge(id: string, isReady: boolean) {
  const app = fastify({ forceCloseConnections: true });
  apps.push(app);
  app.get('/metrics', () => '# TYPE x gauge\nx 1\n');
  app.get('/ready', (_request, reply) => reply.code(isReady ? 200 : 503).send({}));
  app.post('/admin/drain', (request, reply) =>
    reply.code(isReady ? 202 : 409).send({
      heard: request.body,
      query: request.query,
      origin: request.headers.origin,
    }),
  );
  const adminUrl = await app.listen({ host: '127.0.0.1', port: 0 });
  return { id, adminUrl, isAlive: true, restarts: 0 };
}

const GONE = { id: 'gone', adminUrl: undefined, isAlive: false, restarts: 3 };

function parentOf(...edges: Parameters<typeof createParentApp>[0]): FastifyInstance {
  const app = createParentApp(edges);
  apps.push(app);
  return app;
}

const statusOf = async (app: FastifyInstance, url: string): Promise<number> =>
  (await app.inject({ url })).statusCode;

test('it is live while one edge runs, and ready while one is', async () => {
  const [ready, other] = [await edge('a', true), await edge('b', false)];
  const both = parentOf(other, ready);
  expect(await statusOf(both, '/ready')).toBe(200);
  const unready = parentOf(other, GONE);
  expect(await statusOf(unready, '/ready')).toBe(503);
  expect(await statusOf(unready, '/live')).toBe(200);
  const gone = parentOf(GONE);
  expect(await statusOf(gone, '/ready')).toBe(503);
  expect(await statusOf(gone, '/live')).toBe(503);
});

test('metrics are those of the edges that answer, and tell which do not', async () => {
  const { payload, headers } = await parentOf(await edge('a', true), GONE).inject('/metrics');
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(payload.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([
    'trunkline_edge_up{edge="a"} 1',
    'trunkline_edge_up{edge="gone"} 0',
    'trunkline_edge_restarts_total{edge="a"} 0',
    'trunkline_edge_restarts_total{edge="gone"} 3',
    'x{edge="a"} 1',
  ]);
});

test('what is told is told to each edge, and answered with the worst status', async () => {
  const app = parentOf(await edge('a', true), await edge('b', false), GONE);
  const { statusCode, json } = await app.inject({
    method: 'POST',
    url: '/admin/drain?rate=5',
    headers: { origin: 'https://a.example' },
    payload: { why: 'update' },
  });
  const heard = { heard: { why: 'update' }, query: { rate: '5' }, origin: 'https://a.example' };
  expect(statusCode).toBe(503);
  expect(json()).toEqual({
    edges: {
      a: { status: 202, body: heard },
      b: { status: 409, body: heard },
      gone: { status: 503, body: 'no answer' },
    },
  });
});

test('without a body it is told too', async () => {
  const { statusCode, json } = await parentOf(await edge('a', true)).inject({
    method: 'POST',
    url: '/admin/drain',
  });
  expect(statusCode).toBe(202);
  expect(json()).toMatchObject({ edges: { a: { status: 202 } } });
});
