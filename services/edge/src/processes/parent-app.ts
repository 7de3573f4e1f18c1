import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createBareApp } from '../admin/bare-app.ts';
import { openApi } from '../sessions/rest/openapi.ts';
import { VERSION } from '../version.ts';
import type { Answer, Question } from './ask.ts';
import { anyAnswers200, askAll } from './ask.ts';
import type { KeptEdge } from './kept-edge.ts';
import { mergeMetrics } from './merge-metrics.ts';
import { parentMetrics } from './parent-metrics.ts';

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
/** One that is frozen must not hold up what is said of the others. */
const WITHIN_MS = 2_000;

/** What the admin port has to know of an edge. */
type Edge = Pick<KeptEdge, 'id' | 'adminUrl' | 'isAlive' | 'restarts'>;

/**
 * The admin port of a parent, which asks those of its edges: `/metrics` of all, `/live` while one of
 * them runs, `/ready` while one is ready. Everything at `/admin/` is asked of each, but for what is the
 * same for all.
 */
export function createParentApp(edges: readonly Edge[]): FastifyInstance {
  const app = createBareApp();
  app.get('/metrics', async (_request, reply) => {
    const answers = await askAll(edges, { path: '/metrics', withinMs: WITHIN_MS });
    const scrapes = edges.flatMap(({ id }, index) => {
      const { status, body } = answers[index]!;
      return status === 200 ? [{ edge: id, text: body }] : [];
    });
    const answering = new Set(scrapes.map(({ edge }) => edge));
    const all = [...parentMetrics(edges, answering), ...scrapes];
    return reply.type(METRICS_TYPE).send(mergeMetrics(all));
  });
  app.get('/live', (_request, reply) => {
    const isLive = edges.some(({ isAlive }) => isAlive);
    return reply.code(isLive ? 200 : 503).send({ status: isLive ? 'live' : 'not live' });
  });
  app.get('/ready', async (_request, reply) => {
    const isReady = await anyAnswers200(edges, { path: '/ready', withinMs: WITHIN_MS });
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'not ready' });
  });
  app.get('/admin/openapi.json', (_request, reply) => reply.send(openApi(VERSION)));
  passOn(app, edges);
  return app;
}

/** Whatever it is that edges can be told there, it is told to each, and the worst status is the answer's. */
function passOn(app: FastifyInstance, edges: readonly Edge[]): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.all('/admin/*', async (request, reply) => {
    const answers = await askAll(edges, { ...questionOf(request), withinMs: WITHIN_MS });
    const worst = Math.max(...answers.map(({ status }) => status));
    const all = edges.map(({ id }, index) => [id, contentOf(answers[index]!)] as const);
    return reply.code(worst).send({ edges: Object.fromEntries(all) });
  });
}

/** What edges go by: what the body is, and whether it is a page that asks. */
const PASSED_ON = ['content-type', 'origin'] as const;

function questionOf({ url, method, headers, body }: FastifyRequest): Omit<Question, 'withinMs'> {
  const passed = PASSED_ON.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    path: url,
    method,
    headers: Object.fromEntries(passed),
    body: Buffer.isBuffer(body) ? (body as Buffer<ArrayBuffer>) : undefined,
  };
}

function contentOf({ status, body }: Answer): { status: number; body: unknown } {
  try {
    return { status, body: JSON.parse(body) as unknown };
  } catch {
    return { status, body };
  }
}
