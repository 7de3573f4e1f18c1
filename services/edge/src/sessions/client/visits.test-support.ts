import type { ClientTokenOptions } from '@trunkline/tokens';
import { mintClientToken } from '@trunkline/tokens';
import type { HttpAnswer, HttpRequest } from '../../ports/listener.ts';
import type { SocketHandler } from '../../ports/socket.ts';
import type { TestEdge } from '../fixtures.test-support.ts';
import { KEY } from '../fixtures.test-support.ts';
import { ClientSession } from './client-session.ts';

/** A good access token for the hub `chat`, but for `options`. */
export function tokenFor(edge: TestEdge, options: Partial<ClientTokenOptions> = {}): string {
  const now = Math.floor(edge.context.time.unixSeconds());
  return mintClientToken({ key: KEY, audienceBase: 'http://e/', hub: 'chat', now, ...options });
}

/** The session of a client that the door has let in. */
export function admitted(verdict: SocketHandler | HttpAnswer): ClientSession {
  if (verdict instanceof ClientSession) return verdict;
  throw new Error(`refused: ${JSON.stringify(verdict)}`);
}

export function requestWith(
  accessToken: string,
  query: string,
  headers: Readonly<Record<string, string>> = {},
): HttpRequest {
  const all = { authorization: `Bearer ${accessToken}`, ...headers };
  return {
    method: 'GET',
    path: '/client/',
    query,
    headers: new Map(Object.entries(all)),
    remoteAddress: '192.0.2.7',
  };
}
