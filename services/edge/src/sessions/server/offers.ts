import type { LogDigest } from '@trunkline/telemetry';
import type { PooledHost } from '../host.ts';

/** The header in which an app server of our SDK says what its hub offers (docs/protocol.md). */
export const OFFER_HEADER = 'x-trunkline-offer';

/**
 * Notices app servers that serve one hub at the same time and offer their clients different methods:
 * two versions of an app while it is deployed, or else two apps under one key, whose clients go to
 * either. Those that leave, and those that do not say what they offer, do not count.
 */
export class Offers {
  readonly #hub: string;
  readonly #digest: LogDigest;
  /** The difference has been logged, and is not over yet. */
  #differ = false;

  constructor(hub: string, digest: LogDigest) {
    this.#hub = hub;
    this.#digest = digest;
  }

  /** To be called when a server connection of the hub has come, leaves, or has gone. */
  compare(servers: Iterable<PooledHost>): void {
    let first: PooledHost | undefined;
    let other: PooledHost | undefined;
    for (const server of servers) {
      if (server.offer === undefined || server.isDeparting) continue;
      first ??= server;
      if (server.offer !== first.offer) other ??= server;
    }
    const before = this.#differ;
    this.#differ = other !== undefined;
    if (first === undefined || other === undefined || before) return;
    this.#digest.warn(
      { hub: this.#hub },
      'app servers with different methods serve this hub: two versions of one app, or two apps under one hub key',
      {
        serverId: first.serverId,
        offer: first.offer,
        otherServerId: other.serverId,
        otherOffer: other.offer,
      },
    );
  }
}
