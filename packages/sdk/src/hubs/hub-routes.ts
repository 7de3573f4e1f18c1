import { createHash } from 'node:crypto';

import type { OpenConnection } from '@trunkline/protocol';

import type { HubRoute } from '../clients/host.ts';
import { protocolsNamed } from '../protocols/index.ts';
import type { HubProtocol } from '../protocols/index.ts';

/** The paths that one hub key is mapped to. */
export class HubRoutes {
  /** In lower case. */
  readonly #byPath = new Map<string, HubRoute>();
  #protocols: readonly HubProtocol[] = [];

  /** Every protocol that a client of the hub may speak. */
  get protocols(): readonly HubProtocol[] {
    return this.#protocols;
  }

  /**
   * Says in 16 hex digits what clients can call: the names of all methods, in whatever order. Two
   * apps that differ in it do not serve the same hub.
   */
  get offer(): string {
    const names = [...this.#byPath.values()].flatMap(({ methods }) => [...methods.keys()]);
    const text = [...new Set(names)].sort().join('\n');
    return createHash('sha256').update(text).digest('hex').slice(0, 16);
  }

  /** Whether any of the paths has BigInts. */
  get useBigInt(): boolean {
    return [...this.#byPath.values()].some(({ settings }) => settings.useBigInt);
  }

  add(route: HubRoute): void {
    this.#byPath.set(route.path.toLowerCase(), route);
    const routes = [...this.#byPath.values()];
    const names = routes.flatMap(({ settings }) => settings.supportedProtocols);
    this.#protocols = protocolsNamed(names, this.useBigInt);
  }

  /** The one that a client negotiated at, where there are several. */
  of({ queryString }: OpenConnection): HubRoute {
    const [first] = this.#byPath.values();
    if (this.#byPath.size === 1) return first!;
    const path = new URLSearchParams(queryString).get('asrs.op');
    return this.#byPath.get((path ?? '').toLowerCase()) ?? first!;
  }
}
