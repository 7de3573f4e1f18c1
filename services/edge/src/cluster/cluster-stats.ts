import { LabelCounts } from '../sessions/counters.ts';

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

/** Requests that have landed at an edge and are for a client of another. */
export const RELAY_KINDS = ['poll', 'stream', 'post', 'leave'] as const;
export type RelayKind = (typeof RELAY_KINDS)[number];

/** What became of them: see the metric. */
export const RELAY_OUTCOMES = ['answered', 'gone', 'cut', 'lost', 'timed_out', 'refused'] as const;
export type RelayOutcome = (typeof RELAY_OUTCOMES)[number];

/** Why clients of other edges are served here no more. */
export const GUEST_ENDS = [
  'client_gone',
  'moved',
  'closed_by_app_server',
  'app_server_lost',
  'closed',
  'line_lost',
  'edge_lost',
  'refused',
] as const;
export type GuestEnd = (typeof GUEST_ENDS)[number];

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
  /** Of requests that have landed here, keyed `kind|outcome`; and those that are under way. */
  readonly relays = new LabelCounts(
    RELAY_KINDS.flatMap((kind) => RELAY_OUTCOMES.map((outcome) => `${kind}|${outcome}`)),
  );
  readonly openRelays: Record<RelayKind, number> = { poll: 0, stream: 0, post: 0, leave: 0 };
  /** Clients of this edge that app servers of others serve. */
  remoteClients = 0;
  /** Clients of other edges that app servers of this one serve. */
  guests = 0;
  readonly guestEnds: Record<GuestEnd, number> = {
    client_gone: 0,
    moved: 0,
    closed_by_app_server: 0,
    app_server_lost: 0,
    closed: 0,
    line_lost: 0,
    edge_lost: 0,
    refused: 0,
  };
}
