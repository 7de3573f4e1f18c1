import type { Affinity } from '../served.ts';

/** The other edges, as who lets new clients in sees them. */
export interface Elsewhere {
  /** No new client is let in: this edge is about to stop. */
  readonly isDraining: boolean;
  /** The URL of another edge where such a new client of the hub is better off; undefined if it is best off here. */
  better(hub: string, affinity: Affinity): string | undefined;
}

/** In the query of a client that another edge has sent here: it is sent no further. */
export const SENT_ON = 'trunkline_sent_on';
