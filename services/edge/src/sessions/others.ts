import type { Asker } from '../model/asker.ts';
import { DONE, NOT_FOUND } from '../model/asker.ts';
import type { Audience } from '../model/effect.ts';
import type { Interest } from '../model/interest.ts';
import { NO_INTEREST } from '../model/interest.ts';
import type { Needs } from '../model/questions.ts';
import type { Host } from './host.ts';
import type { Served } from './served.ts';

/** The edges that app servers can connect to. */
export interface KnownEdges {
  /** How many there are beside this one. */
  readonly others: number;
  /** Of each that has a URL of its own, this one among them. */
  readonly urls: readonly { readonly edgeId: string; readonly url: string }[];
  /** The ids of all that are there, those about to stop too, and this one among them; none without a cluster. */
  readonly members: readonly string[];
}

/** The edges beside this one, as one hub of this edge sees them. `body`: a service message, lent for the call. */
export interface Others {
  /** The ids of those that are there now. */
  readonly edges: readonly string[];
  /** One of them has clients of the hub, as far as they have said. */
  readonly hasClients: boolean;
  /** The same object for as long as it says the same. */
  readonly known: KnownEdges;
  /** Learns which users and groups have somebody here, so that others send here what is for them. */
  readonly interest: Interest;
  /** The bus has room for more of what the hub's app servers say; else that waits, or is to be said again. */
  readonly haveRoom: boolean;
  /** Has them do what the message says. */
  tell(to: Audience, body: Uint8Array): void;
  /**
   * The same, and somebody waits for what comes of it, for so many milliseconds at most; 3,000 when not
   * given. Answers a function that ends the waiting.
   */
  ask(to: Audience, needs: Needs, body: Uint8Array, asker: Asker, ms?: number): () => void;
  /** Runs `then` when what they say to the hub, its users and groups is heard here: at once, but for the first moment of each. */
  whenHeard(then: () => void): void;
  /**
   * An app server of theirs that takes this client now, as far as they have said: of this server id where
   * one is given, else the one with the fewest clients. It is told of the client when that is opened there.
   */
  hostFor(client: Served, serverId?: string): Host | undefined;
  /** One of them has server connections of this app process; of any, where none is given. */
  serves(serverId?: string): boolean;
  /** Server connections of the hub have come here, gone, or become full, or are so no more. */
  hostsChanged(): void;
}

/** For an edge that has no others. */
export const ALONE: Others = {
  edges: [],
  hasClients: false,
  known: { others: 0, urls: [], members: [] },
  interest: NO_INTEREST,
  haveRoom: true,
  tell() {},
  ask(_to, needs, _body, asker) {
    asker.settle(needs === 'allDone' ? DONE : NOT_FOUND);
    return () => {};
  },
  whenHeard: (then) => then(),
  hostFor: () => undefined,
  serves: () => false,
  hostsChanged() {},
};
