import type { KnownEdges } from '../sessions/others.ts';
import type { Neighbours } from './neighbours.ts';
import type { OwnStatus } from './own-status.ts';
import { withOwnUrls } from './own-urls.ts';

/**
 * Which edges there are, and which of them app servers can connect to: all of the cluster but those that
 * are about to stop.
 */
export class EdgeList {
  readonly #edgeId: string;
  readonly #own: OwnStatus;
  readonly #neighbours: Neighbours;
  #known: KnownEdges = { others: 0, urls: [], members: [] };
  #isStale = true;

  constructor(edgeId: string, own: OwnStatus, neighbours: Neighbours) {
    this.#edgeId = edgeId;
    this.#own = own;
    this.#neighbours = neighbours;
  }

  /** An edge has come, gone, or said how it is. */
  changed(): void {
    this.#isStale = true;
  }

  /** The same object for as long as it says the same. */
  get known(): KnownEdges {
    if (this.#isStale) {
      const fresh = this.#read();
      if (!isSame(fresh, this.#known)) this.#known = fresh;
      this.#isStale = false;
    }
    return this.#known;
  }

  #read(): KnownEdges {
    const neighbours = this.#neighbours;
    const others = neighbours.edges.map((edgeId) => ({ edgeId, ...neighbours.statusOf(edgeId) }));
    const { publicUrl, isDraining } = this.#own;
    const urls = withOwnUrls([{ edgeId: this.#edgeId, publicUrl, isDraining }, ...others])
      .filter((edge) => !edge.isDraining)
      .map((edge) => ({ edgeId: edge.edgeId, url: edge.publicUrl }));
    return {
      others: others.filter((edge) => !edge.isDraining).length,
      urls,
      members: [this.#edgeId, ...neighbours.edges].toSorted(),
    };
  }
}

function isSame(a: KnownEdges, b: KnownEdges): boolean {
  return (
    a.others === b.others &&
    a.members.join('\n') === b.members.join('\n') &&
    a.urls.length === b.urls.length &&
    a.urls.every(({ edgeId, url }, at) => edgeId === b.urls[at]!.edgeId && url === b.urls[at]!.url)
  );
}
