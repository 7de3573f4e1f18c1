import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

import { MAX_SERVICE_MESSAGE_BYTES } from '@trunkline/protocol';
import { mintServerToken, parseConnectionString } from '@trunkline/tokens';
import type { ConnectionString } from '@trunkline/tokens';
import { WebSocket } from 'ws';

import { TrunklineError } from '../errors.ts';
import { VERSION } from '../version.ts';

/** TCP, TLS and upgrade together. */
const UPGRADE_TIMEOUT_MS = 15_000;

/** One per process (service protocol reference, section 2). */
export const SERVER_ID = `${hostname()}_${randomUUID().replaceAll('-', '')}`;

/** The service that all hubs of a server connect to. */
export class Service {
  readonly #at: ConnectionString;

  /** Throws ConnectionStringError. */
  constructor(connectionString: string) {
    this.#at = parseConnectionString(connectionString);
  }

  /** What negotiate needs to sign clients in. */
  get address(): ConnectionString {
    return this.#at;
  }

  /**
   * Starts the upgrade of one server connection, with a token and an id of its own (service protocol
   * reference, sections 1.3 and 2). `target` is what a rebalancing service asked for.
   */
  dial(hub: string, target?: string): WebSocket {
    const { serverEndpoint, accessKey, audienceBase } = this.#at;
    const token = mintServerToken({ key: accessKey, audienceBase, hub, serverId: SERVER_ID });
    const query = `hub=${encodeURIComponent(hub)}&cid=${randomUUID()}`;
    const suffix = target === undefined ? '' : `&target=${encodeURIComponent(target)}`;
    return new WebSocket(`${serverEndpoint.replace(/^http/, 'ws')}server/?${query}${suffix}`, {
      headers: {
        'Asrs-User-Agent': `trunkline-sdk/${VERSION} (Node ${process.version}; ${process.platform})`,
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

  /** The error that an HTTP answer other than 101 stands for. */
  refusal(status: number): TrunklineError {
    const { endpoint } = this.#at;
    return status === 401
      ? new TrunklineError(
          'unauthorized',
          `${endpoint} answered 401: the AccessKey of the connection string is not one of its access keys`,
        )
      : new TrunklineError('not-connected', `${endpoint} answered ${status} instead of 101`);
  }
}
