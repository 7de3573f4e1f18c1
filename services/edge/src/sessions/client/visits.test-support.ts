import { BlockList } from 'node:net';
import type { ClientTokenOptions } from '@trunkline/tokens';
import { mintClientToken } from '@trunkline/tokens';
import type { HttpRequest } from '../../ports/listener.ts';
import type { TestEdge } from '../fixtures.test-support.ts';
import { KEY } from '../fixtures.test-support.ts';
import { ClientAdmission } from './admission.ts';

/** The clients' door of an edge that trusts the proxy 10.0.0.1. */
export function admissionOf(edge: TestEdge, allowedOrigins = ['*']): ClientAdmission {
  const { context, hubs } = edge;
  const trustedProxies = new BlockList();
  trustedProxies.addAddress('10.0.0.1');
  return new ClientAdmission(context, context.tokens, hubs, { allowedOrigins, trustedProxies });
}

/** A good access token for the hub `chat`, but for `options`. */
export function tokenFor(edge: TestEdge, options: Partial<ClientTokenOptions> = {}): string {
  const now = Math.floor(edge.context.time.unixSeconds());
  return mintClientToken({ key: KEY, audienceBase: 'http://e/', hub: 'chat', now, ...options });
}

export function requestWith(
  accessToken: string,
  query: string,
  headers: Readonly<Record<string, string>> = {},
): HttpRequest {
  const all = { authorization: `Bearer ${accessToken}`, ...headers };
  return { query, headers: new Map(Object.entries(all)), remoteAddress: '192.0.2.7' };
}
