import { randomUUID } from 'node:crypto';

import { MAX_SERVICE_MESSAGE_BYTES } from '@trunkline/protocol';
import { mintServerToken } from '@trunkline/tokens';

import { SERVER_ID, serviceHeaders } from './identity.ts';
import type { Service } from './service.ts';
import { WebSocket } from './web-socket.ts';

/** TCP, TLS and upgrade together. */
const UPGRADE_TIMEOUT_MS = 15_000;

export interface Dialled {
  /** The hub key. */
  readonly hub: string;
  /** Says what the app has clients call, so that the edge can tell two apps under one key apart. */
  readonly offer: string;
  /** What a rebalancing service asked for. */
  readonly target: string | undefined;
}

/**
 * Starts the upgrade of one server connection, with a token and an id of its own (service protocol
 * reference, sections 1.3 and 2). Only called where no exported type shows it: apps would need the
 * types of ws to read those of this package.
 */
export function dial({ address }: Service, { hub, offer, target }: Dialled): WebSocket {
  const { serverEndpoint, accessKey, audienceBase } = address;
  const token = mintServerToken({ key: accessKey, audienceBase, hub, serverId: SERVER_ID });
  const query = `hub=${encodeURIComponent(hub)}&cid=${randomUUID()}`;
  const suffix = target === undefined ? '' : `&target=${encodeURIComponent(target)}`;
  return new WebSocket(`${serverEndpoint.replace(/^http/, 'ws')}server/?${query}${suffix}`, {
    headers: serviceHeaders(token, {
      'X-ASRS-Server-Id': SERVER_ID,
      'X-Requested-With': 'XMLHttpRequest',
      'X-Trunkline-Offer': offer,
    }),
    perMessageDeflate: false,
    followRedirects: false,
    handshakeTimeout: UPGRADE_TIMEOUT_MS,
    maxPayload: MAX_SERVICE_MESSAGE_BYTES,
  });
}
