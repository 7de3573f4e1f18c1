const REQUEST_MS = 10_000;

/**
 * Options of fastify: what a caller of an HTTP service is given, in milliseconds. A request has 10 s to
 * arrive, its head as its body; Node looks for late ones once a second, and not only every 30 s as it
 * does by itself. A connection on which nothing happens is closed after 30 s.
 */
export const SLOW_REQUEST_LIMITS = {
  requestTimeout: REQUEST_MS,
  connectionTimeout: 30_000,
  http: { headersTimeout: REQUEST_MS, connectionsCheckingInterval: 1_000 },
} as const;
