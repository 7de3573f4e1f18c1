/** An id that another edge has minted, brought by a client that wants to connect with it here. */
export interface Claim {
  readonly id: string;
  /** Version of its negotiate. 0: the id alone is brought; 1: a connection token, which is good. */
  readonly version: number;
  readonly hub: string;
  readonly userId: string | undefined;
  /** Unix seconds, as the token says; 0 where there is none. */
  readonly connectBy: number;
  /** Whose share the question to that edge counts against. */
  readonly owner: string;
}

/** The id is the claimant's, and nobody else gets it. */
export interface Granted {
  /** What the client has posted before it connects. */
  readonly early: Buffer | undefined;
}

/** Why it is not. `unanswered`: an edge that has to be asked does not answer. */
export const CLAIM_REFUSALS = ['unknown', 'in_use', 'transport_changed', 'unanswered'] as const;
export type ClaimRefusal = (typeof CLAIM_REFUSALS)[number];

/** The edges that mint connection ids, as the clients' door of one of them sees them. */
export interface Homes {
  /** There is none but this one. */
  readonly isAlone: boolean;
  /**
   * Has the edge that has minted an id give it up. `settle` is called once, maybe at once. Answers a
   * function that ends the waiting.
   */
  claim(claim: Claim, settle: (verdict: Granted | ClaimRefusal) => void): () => void;
}

/** What an edge has to say of ids that it has minted itself. */
export interface Home {
  /** Gives a negotiated id up for a WebSocket at another edge, once. */
  giveUp(
    id: string,
    grant: Pick<Claim, 'version' | 'hub' | 'userId'>,
  ): Granted | Exclude<ClaimRefusal, 'unanswered'>;
  /** An id is used up elsewhere. */
  usedUp(id: string): void;
}
