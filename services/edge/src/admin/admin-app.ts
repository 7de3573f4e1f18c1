import { SLOW_REQUEST_LIMITS } from '@trunkline/foundation';
import type { Registry } from '@trunkline/telemetry';
import type { FastifyInstance } from 'fastify';
import { fastify } from 'fastify';
import { ADMIN_CONNECTIONS } from '../open-files.ts';
import type { Draining } from '../sessions/draining.ts';
import { serveDraining } from './drain-routes.ts';
import type { Health } from './health.ts';

/**
 * The admin port: `/metrics` for Prometheus, `/live` and `/ready` for who restarts and routes,
 * `/admin/drain` for who takes an edge away.
 */
export function createAdminApp(
  registry: Registry,
  health: Pick<Health, 'whyNot'>,
  draining: Pick<Draining, 'begin' | 'end' | 'progress'>,
): FastifyInstance {
  const app = fastify({ ...SLOW_REQUEST_LIMITS, logger: false, forceCloseConnections: true });
  app.server.maxConnections = ADMIN_CONNECTIONS;
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
  return app;
}
