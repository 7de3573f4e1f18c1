import { MessageType } from '@trunkline/protocol';
import type { KnownEdges } from '../others.ts';
import type { ServerSession } from './server-session.ts';

/**
 * Tells an app server which edges there are, from when it has asked on: our SDK does, so that it can
 * have server connections at several of them. The package for .NET never asks.
 */
export class EdgeNews {
  readonly #server: ServerSession;
  readonly #edgeId: string;
  #told: KnownEdges | undefined;

  constructor(server: ServerSession, edgeId: string) {
    this.#server = server;
    this.#edgeId = edgeId;
  }

  /** Called about once a second. */
  check(): void {
    if (this.#told !== this.#server.hub.others.known) this.tell();
  }

  /** URLs come first in their entries: they have no spaces, and edge ids may. */
  tell(): void {
    const { known } = this.#server.hub.others;
    this.#told = known;
    const urls = known.urls.flatMap(({ edgeId, url }) => ['edge', `${url} ${edgeId}`]);
    const members = known.members.flatMap((edgeId) => ['member', edgeId]);
    const entries = ['edges', this.#edgeId, 'others', String(known.others), ...urls, ...members];
    this.#server.write({ type: MessageType.Ping, entries });
  }
}
