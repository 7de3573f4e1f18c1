import { createHmac } from 'node:crypto';
import type { AccessKeys } from '@trunkline/tokens';
import { forwardedClaims } from '@trunkline/tokens';
import type { UpstreamRequest } from '../../ports/upstream-http.ts';
import type { Introduction } from '../introduction.ts';
import type { Category, Route } from './rules.ts';

/** The client that an event is about. */
export interface EventSource {
  readonly id: string;
  readonly hub: string;
  readonly userId: string | undefined;
  readonly introduction: Introduction;
}

export interface UpstreamEvent {
  readonly category: Category;
  readonly event: string;
  readonly body: Uint8Array;
  /** The body is MessagePack, not JSON. */
  readonly binary: boolean;
}

/** The request that tells an upstream of an event (REST and serverless reference, section 5.3). */
export function upstreamRequest(
  { id, hub, userId, introduction }: EventSource,
  { category, event, body, binary }: UpstreamEvent,
  { origin, path }: Route,
  keys: AccessKeys,
): UpstreamRequest {
  const claims = userClaims(introduction.tokenPayload);
  const { queryString } = introduction;
  const headers = {
    'content-type': binary ? 'application/x-msgpack' : 'application/json',
    'x-asrs-connection-id': id,
    'x-asrs-hub': headerText(hub),
    'x-asrs-category': category,
    'x-asrs-event': headerText(event),
    'x-asrs-signature': signature(id, keys),
    ...(userId !== undefined && { 'x-asrs-user-id': headerText(userId) }),
    ...(claims !== '' && { 'x-asrs-user-claims': headerText(claims) }),
    ...(queryString !== '' && { 'x-asrs-client-query': headerText(queryString) }),
  };
  return { origin, path, headers, body };
}

/**
 * One entry for each key, without a blank between them: Azure Functions cuts at the comma and does not
 * trim (section 5.4).
 */
export function signature(connectionId: string, keys: AccessKeys): string {
  return keys.all
    .map(({ secret }) => createHmac('sha256', secret).update(connectionId).digest('hex'))
    .map((digest) => `sha256=${digest}`)
    .join(',');
}

/** All of a token's claims but those that are for the service, `type: value` each. */
function userClaims(tokenPayload: string): string {
  return forwardedClaims(tokenPayload)
    .filter(([type]) => !type.startsWith('asrs.s.'))
    .map(([type, value]) => `${type.replace(/^asrs\.u\./, '')}: ${value}`)
    .join(', ');
}

/**
 * Text in a header's value: UTF-8, as ASP.NET Core reads headers, in the form that the port takes
 * bytes in. Line breaks and their like, by which a client could add headers, become blanks.
 */
function headerText(text: string): string {
  return Buffer.from(text.replaceAll(/\p{Cc}/gu, ' '), 'utf8').toString('latin1');
}
