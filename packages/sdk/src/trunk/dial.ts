import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

import { MAX_SERVICE_MESSAGE_BYTES } from '@trunkline/protocol';
import { mintServerToken } from '@trunkline/tokens';
import { WebSocket } from 'ws';

import { VERSION } from '../version.ts';
import type { Service } from './service.ts';

/** TCP, TLS and upgrade together. */
const UPGRADE_TIMEOUT_MS = 15_000;

/** One per process (service protocol reference, section 2). */
export const SERVER_ID = `${hostname()}_${randomUUID().replaceAll('-', '')}`;

export const USER_AGENT = `trunkline-sdk/${VERSION} (Node ${process.version}; ${process.platform})`;

/**
 * Starts the upgrade of one server connection, with a token and an id of its own (service protocol
 * reference, sections 1.3 and 2). `target` is what a rebalancing service asked for. Only called
 * where no exported type shows it: apps would need the types of ws to read those of this package.
 */
export function dial({ address }: Service, hub: string, target?: string): WebSocket {
  const { serverEndpoint, accessKey, audienceBase } = address;
  const token = mintServerToken({ key: accessKey, audienceBase, hub, serverId: SERVER_ID });
  const query = `hub=${encodeURIComponent(hub)}&cid=${randomUUID()}`;
  const suffix = target === undefined ? '' : `&target=${encodeURIComponent(target)}`;
  return new WebSocket(`${serverEndpoint.replace(/^http/, 'ws')}server/?${query}${suffix}`, {
    headers: {
      'Asrs-User-Agent': USER_AGENT,
      'X-ASRS-Server-Id': SERVER_ID,
      'X-Requested-With': 'XMLHttpRequest',
      Authorization: `Bearer ${token}`,
    },
    perMessageDeflate: false,
    followRedirects: false,
    handshakeTimeout: UPGRADE_TIMEOUT_MS,
    maxPayload: MAX_SERVICE_MESSAGE_BYTES,
  });
}
