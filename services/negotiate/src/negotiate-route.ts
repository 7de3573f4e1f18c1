import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { HUB_NAME, redirectAnswer, redirectUrl } from '@trunkline/protocol';
import type { RedirectAnswer } from '@trunkline/protocol';
import { AccessKeys, mintClientToken } from '@trunkline/tokens';
import type { ConnectionString } from '@trunkline/tokens';
import type { Identify, Identity } from './identity.ts';

/**
 * `POST /{hub}/negotiate` answers where the edge is and a token for it (service protocol reference,
 * section 4). The hub key is the name in lower case; the original path, which the app server sees
 * as `asrs.op`, is `/{hub}`.
 */
export function addNegotiateRoute(
  app: FastifyInstance,
  connection: ConnectionString,
  identify: Identify,
): void {
  const key = new AccessKeys([connection.accessKey]).first;

  function answer(hub: string, query: string, { userId, claims }: Identity): RedirectAnswer {
    const hubKey = hub.toLowerCase();
    const { audienceBase, clientEndpoint } = connection;
    const accessToken = mintClientToken({ key, audienceBase, hub: hubKey, userId, claims });
    const url = redirectUrl({
      clientEndpoint,
      hub: hubKey,
      originalPath: `/${hub}/negotiate`,
      originalQuery: query,
      requestId: randomUUID(),
    });
    return redirectAnswer(url, accessToken);
  }

  app.post<{ Params: { hub: string } }>('/:hub/negotiate', (request, reply) => {
    const { hub } = request.params;
    if (!HUB_NAME.test(hub)) return reply.callNotFound();
    const query = /\?(.*)$/s.exec(request.url)?.[1] ?? '';
    const identity = identify({ authorization: request.headers.authorization, query });
    if (identity === undefined) {
      const error = 'sign in first: a valid bearer token is needed';
      return reply.code(401).header('www-authenticate', 'Bearer').send({ error });
    }
    return reply.header('cache-control', 'no-store').send(answer(hub, query, identity));
  });
}
