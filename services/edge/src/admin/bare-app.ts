import { SLOW_REQUEST_LIMITS } from '@trunkline/foundation';
import type { FastifyInstance } from 'fastify';
import { fastify } from 'fastify';
import { ADMIN_CONNECTIONS } from '../open-files.ts';

/** An app for an admin port, without a route yet. Its routes have no schemas. */
export function createBareApp(): FastifyInstance {
  const app = fastify({
    ...SLOW_REQUEST_LIMITS,
    logger: false,
    forceCloseConnections: true,
    // Else the compilers of schemas are loaded, which is a tenth of an edge's start.
    schemaController: { compilersFactory: { buildValidator: refuse, buildSerializer: refuse } },
  });
  app.server.maxConnections = ADMIN_CONNECTIONS;
  return app;
}

function refuse(): never {
  throw new Error('routes of admin ports have no schemas');
}
