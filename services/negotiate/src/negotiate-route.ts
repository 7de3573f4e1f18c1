import type { FastifyInstance } from 'fastify';
import { HUB_NAME } from '@trunkline/protocol';
import type { Desk } from './desk.ts';
import type { NegotiateSettings } from './options.ts';

/**
 * `POST /{hub}/negotiate` answers where the edge is and a token for it. Whoever gets a token for a hub
 * makes the edge keep that hub, so it is given for those alone that the settings name.
 */
export function addNegotiateRoute(
  app: FastifyInstance,
  desk: Desk,
  hubs: NegotiateSettings['hubs'],
): void {
  app.post<{ Params: { hub: string } }>('/:hub/negotiate', (request, reply) => {
    const { hub } = request.params;
    if (!HUB_NAME.test(hub)) return reply.callNotFound();
    if (hubs?.has(hub.toLowerCase()) === false) {
      const error = 'unknown hub: this service sends callers only to hubs that its --hubs names';
      return reply.code(404).send({ error });
    }
    const query = /\?(.*)$/s.exec(request.url)?.[1] ?? '';
    const identity = desk.identify({ authorization: request.headers.authorization, query });
    if (identity === undefined) {
      const error = 'sign in first: a valid bearer token with an exp is needed';
      return reply.code(401).header('www-authenticate', 'Bearer').send({ error });
    }
    return reply.header('cache-control', 'no-store').send(desk.redirect(hub, query, identity));
  });
}
