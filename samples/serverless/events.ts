import type { ManagedHub } from '@trunkline/sdk';
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import { HUB, ROOM } from './hub.ts';
import type { RoomClient } from './hub.ts';
import { isSigned } from './signature.ts';

const MAX_TEXT = 500;
/** A hub message in JSON ends so. */
const END = '\x1e';

/** What a page calls, as the edge hands it on. */
interface Invocation {
  /** Not there when the page waits for no answer. */
  readonly invocationId?: string;
  readonly arguments: readonly unknown[];
}

/**
 * What the edge tells of the hub's clients: a POST each, below the path that edge.json has. Nothing of
 * a client is kept here: who is in the room is asked of the edge.
 */
export function upstreamEvents(hub: ManagedHub<RoomClient>, accessKey: string): FastifyPluginAsync {
  return async (events) => {
    events.addHook('onRequest', async (request, reply) => {
      const signatures = header(request, 'x-asrs-signature');
      if (!isSigned(connectionOf(request), signatures, accessKey)) return reply.code(401).send();
      if (header(request, 'x-asrs-hub') !== HUB) return reply.code(403).send();
    });

    events.post('/connections/connected', async (request, reply) => {
      await hub.groups.add(connectionOf(request), ROOM);
      await hub.clients.group(ROOM).joined(userOf(request));
      return reply.code(204).send();
    });

    // The edge has taken the connection out of its groups.
    events.post('/connections/disconnected', async (request, reply) => {
      await hub.clients.group(ROOM).left(userOf(request));
      return reply.code(204).send();
    });

    events.post<{ Body: Invocation }>('/messages/say', async (request) => {
      const [text] = request.body.arguments;
      if (typeof text !== 'string' || text.trim() === '' || text.length > MAX_TEXT) {
        return completion(request.body, { error: `Say 1 to ${MAX_TEXT} characters.` });
      }
      const at = Date.now();
      const others = hub.clients.groupExcept(ROOM, connectionOf(request));
      await others.said(userOf(request), text, at);
      return completion(request.body, { result: at });
    });

    events.post<{ Body: Invocation }>('/messages/who', async (request) => {
      const people: string[] = [];
      for await (const { userId = '' } of hub.groups.connections(ROOM)) people.push(userId);
      return completion(request.body, { result: { you: userOf(request), people } });
    });
  };
}

/** The answer to a call: a hub message, or nothing where nobody waits for one. */
function completion({ invocationId }: Invocation, outcome: object): string {
  if (invocationId === undefined) return '';
  return JSON.stringify({ type: 3, invocationId, ...outcome }) + END;
}

const connectionOf = (request: FastifyRequest): string => header(request, 'x-asrs-connection-id');
const userOf = (request: FastifyRequest): string => header(request, 'x-asrs-user-id');

/** Headers are UTF-8; Node reads them as Latin-1. */
function header({ headers }: FastifyRequest, name: string): string {
  return Buffer.from(String(headers[name] ?? ''), 'latin1').toString();
}
