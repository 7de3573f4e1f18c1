import cors from '@fastify/cors';
import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { startDigest } from '@trunkline/telemetry';
import type { LogDigest, Logger } from '@trunkline/telemetry';
import { TokenTooLongError } from '@trunkline/tokens';
import { SLOW_REQUEST_LIMITS } from '@trunkline/foundation';
import type { Desk } from './desk.ts';
import { addNegotiateRoute } from './negotiate-route.ts';
import type { NegotiateSettings } from './options.ts';

/** A negotiate request has no body worth reading; clients send none, or a few bytes. */
const BODY_LIMIT_BYTES = 16 * 1024;
/** Room for a token of 4,096 characters in the query, and for a browser's cookies. */
const MAX_HEADER_BYTES = 32 * 1024;
/** Above any hub name with all of its characters percent-encoded. */
const MAX_PARAM_LENGTH = 400;

/** The service, not listening yet. */
export async function buildApp(
  settings: Pick<NegotiateSettings, 'hubs' | 'allowedOrigins'>,
  desk: Desk,
  logger: Logger,
): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    ...SLOW_REQUEST_LIMITS,
    http: { ...SLOW_REQUEST_LIMITS.http, maxHeaderSize: MAX_HEADER_BYTES },
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, ignoreTrailingSlash: true },
  });
  // Some clients name a type for a body they do not send: read whatever comes, and ignore it.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null));
  await app.register(cors, {
    origin: settings.allowedOrigins.includes('*') ? true : [...settings.allowedOrigins],
    credentials: true,
    methods: ['GET', 'HEAD', 'POST'],
    maxAge: 600,
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'not found' }));
  const { digest, stop } = startDigest(logger);
  app.addHook('onClose', async () => stop());
  app.addHook('onResponse', async (request, reply) => tellRefused(request, reply, digest));
  app.setErrorHandler((error, _request, reply) => answerError(error, reply, digest));
  app.get('/api/health', (_request, reply) => reply.send({ status: 'ok' }));
  addNegotiateRoute(app, desk, settings.hubs);
  return app;
}

/** What a client did wrong is told to it; what we did wrong is logged. */
function answerError(error: unknown, reply: FastifyReply, digest: LogDigest): FastifyReply {
  // The text that clients know from the .NET SDK, without quotes or braces.
  if (error instanceof TokenTooLongError) return reply.code(413).send(error.message);
  const status = statusOf(error);
  if (status >= 400 && status < 500) {
    return reply.code(status).send({ error: (error as Error).message });
  }
  digest.error({}, 'negotiate failed', { err: error });
  return reply.code(500).send({ error: 'internal error' });
}

function tellRefused(
  request: FastifyRequest,
  { statusCode }: FastifyReply,
  digest: LogDigest,
): void {
  if (statusCode < 400) return;
  const { hub } = request.params as { hub?: string };
  const cause = { status: statusCode, hub, origin: request.headers.origin };
  digest.info(cause, 'client refused', { remoteAddress: request.ip });
}

function statusOf(error: unknown): number {
  const isHttpError = error instanceof Error && 'statusCode' in error;
  return isHttpError ? Number(error.statusCode) : 500;
}
