import { randomUUID } from 'node:crypto';

import { MAX_SERVICE_MESSAGE_BYTES } from '@trunkline/protocol';
import { mintServerToken } from '@trunkline/tokens';

import { SERVER_ID, serviceHeaders } from './identity.ts';
import type { Service } from './service.ts';
import type { Dialled, TrunkSocket } from './socket.ts';
import { WebSocket } from './web-socket.ts';

/** TCP, TLS and upgrade together. */
const UPGRADE_TIMEOUT_MS = 15_000;

/**
 * Starts the upgrade of one server connection, with a token and an id of its own (service protocol
 * reference, sections 1.3 and 2).
 */
export function dial(
  { address }: Service,
  { hub, offer, target, url, elsewhere }: Dialled,
): TrunkSocket {
  const { serverEndpoint, accessKey, audienceBase } = address;
  // Of an audience only path and hub count, so the token is good at every edge.
  const token = mintServerToken({ key: accessKey, audienceBase, hub, serverId: SERVER_ID });
  const query = `hub=${encodeURIComponent(hub)}&cid=${randomUUID()}`;
  const suffix = target === undefined ? '' : `&target=${encodeURIComponent(target)}`;
  const base = (url?.replace(/\/*$/, '/') ?? serverEndpoint).replace(/^http/, 'ws');
  return new WebSocket(`${base}server/?${query}${suffix}`, {
    headers: serviceHeaders(token, {
      'X-ASRS-Server-Id': SERVER_ID,
      'X-Requested-With': 'XMLHttpRequest',
      'X-Trunkline-Offer': offer,
      ...(elsewhere !== undefined && { 'X-Trunkline-Elsewhere': encodeURIComponent(elsewhere) }),
    }),
    perMessageDeflate: false,
    followRedirects: false,
    handshakeTimeout: UPGRADE_TIMEOUT_MS,
    maxPayload: MAX_SERVICE_MESSAGE_BYTES,
  });
}
