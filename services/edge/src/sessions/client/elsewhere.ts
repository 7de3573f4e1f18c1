import type { Affinity } from '../served.ts';

/** The URL of another edge where such a new client of the hub is better off; undefined if it is best off here. */
export type BetterFor = (hub: string, affinity: Affinity) => string | undefined;

/** In the query of a client that another edge has sent here: it is sent no further. */
export const SENT_ON = 'trunkline_sent_on';
