import type { Registry } from '@trunkline/telemetry';
import type { FastifyInstance } from 'fastify';
import type { Draining } from '../sessions/draining.ts';
import { openApi } from '../sessions/rest/openapi.ts';
import { VERSION } from '../version.ts';
import { createBareApp } from './bare-app.ts';
import { serveDraining } from './drain-routes.ts';
import type { Health } from './health.ts';

/**
 * The admin port: `/metrics` for Prometheus, `/live` and `/ready` for who restarts and routes,
 * `/admin/drain` for who takes an edge away, and what the REST API is like for who makes clients of it.
 */
export function createAdminApp(
  registry: Registry,
  health: Pick<Health, 'whyNot'>,
  draining: Pick<Draining, 'begin' | 'end' | 'progress'>,
): FastifyInstance {
  const app = createBareApp();
  app.get('/metrics', async (_request, reply) => {
    return reply.type(registry.contentType).send(await registry.metrics());
  });
  app.get('/live', (_request, reply) => reply.send({ status: 'live' }));
  app.get('/ready', (_request, reply) => {
    const { whyNot } = health;
    if (whyNot === undefined) return reply.send({ status: 'ready' });
    return reply.code(503).send({ status: 'not ready', reason: whyNot });
  });
  serveDraining(app, draining);
  app.get('/admin/openapi.json', (_request, reply) => reply.send(openApi(VERSION)));
  return app;
}
