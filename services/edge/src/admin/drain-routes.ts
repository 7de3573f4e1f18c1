import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Draining, DrainProgress } from '../sessions/draining.ts';

const PATH = '/admin/drain';

/** `/admin/drain`: POST begins to send the clients away, GET says how far that is, DELETE ends it. */
export function serveDraining(
  app: FastifyInstance,
  draining: Pick<Draining, 'begin' | 'end' | 'progress'>,
): void {
  app.get(PATH, (_request, reply) => reply.send(told(draining.progress)));
  app.post(PATH, { onRequest: refusePages }, (_request, reply) => {
    draining.begin();
    return reply.code(202).send(told(draining.progress));
  });
  app.delete(PATH, { onRequest: refusePages }, (_request, reply) => {
    const hasEnded = draining.end();
    return reply.code(hasEnded ? 200 : 409).send(told(draining.progress));
  });
}

/** The port has no authentication, and a page in the operator's browser reaches what the operator reaches. */
async function refusePages(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (request.headers.origin !== undefined) await reply.code(403).send({ error: 'not for pages' });
}

function told({ since, until, ...rest }: DrainProgress): object {
  const time = (seconds: number): string => new Date(seconds * 1000).toISOString();
  if (since === undefined || until === undefined) return rest;
  return { ...rest, since: time(since), until: time(until) };
}
