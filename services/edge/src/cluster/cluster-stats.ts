/** What came of questions to other edges. */
export const QUESTION_OUTCOMES = ['answered', 'not_found', 'timed_out', 'refused'] as const;
export type QuestionOutcome = (typeof QUESTION_OUTCOMES)[number];

/**
 * What came of WebSockets with ids of other edges. `taken_over`: the id's edge was gone, and the token's
 * word was taken. `abandoned`: the peer went while an edge was asked.
 */
export const CLAIM_OUTCOMES = [
  'granted',
  'taken_over',
  'refused',
  'unanswered',
  'abandoned',
] as const;
export type ClaimOutcome = (typeof CLAIM_OUTCOMES)[number];

/** What an edge's part in the cluster has done: plain numbers, read at a scrape. */
export class ClusterStats {
  /** Edges that are there, this one included. */
  members = 1;
  /** Times that another edge was gone without having said that it goes. */
  lost = 0;
  readonly questions: Record<QuestionOutcome, number> = {
    answered: 0,
    not_found: 0,
    timed_out: 0,
    refused: 0,
  };
  readonly claims: Record<ClaimOutcome, number> = {
    granted: 0,
    taken_over: 0,
    refused: 0,
    unanswered: 0,
    abandoned: 0,
  };
}
