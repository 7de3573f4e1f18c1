import { AckStatus } from '@trunkline/protocol';

import type { Ask, Conn } from '../journal.ts';
import type { MakeChecker } from './checker.ts';

/** Other edges have 3 s, which are looked at once a second; and everybody's network takes a while. */
const ANSWER_MS = 5_000;
/** What an edge has said has come to clients. */
const HEARD_MS = 200;
/** By when a client is given up that does not poll, or cannot, and has heard of it. */
const GIVEN_UP_MS = 10_000;

/**
 * Each question has one answer, in time; while nothing is disturbed that is not "timed out"; and "not
 * found" is said only where nobody had what was asked for.
 */
export const answers: MakeChecker = (journal, world) => {
  const answered = new Set<Ask>();

  const isLate = ({ line, at }: Ask): boolean =>
    line.isOpen && line.edge.isServing && !line.edge.wasFrozenSince(at);

  const describe = ({ what, line, at }: Ask): string => {
    const named = 'conn' in what ? { ...what, conn: what.conn.id } : what;
    return `${JSON.stringify(named)} of ${line.name} at ${line.edge.edgeId}, asked at ${at.toFixed(0)}`;
  };

  /** Somebody whom the question is about, who was there from before it on, at an edge that was asked. */
  const holder = ({ what, at, line, others, edgesLost }: Ask): Conn | undefined => {
    const asked = new Set([line.edge.edgeId]);
    // Of an edge that was gone for the one that asked, nobody knows what it would have answered.
    if (line.edge.edgesLost === edgesLost) for (const edgeId of others) asked.add(edgeId);
    const before = at - GIVEN_UP_MS;
    const isKnown = world.nobodyFrozeSince(before) && journal.wasCalm(before, ...world.live);
    for (const conn of journal.conns) {
      // Its edge may have given it up, and where its poll hangs nobody knows. And an edge that is cut off, and
      // has not noticed, does not know that another one has taken over an id of its own.
      if ((conn.roams || conn.isAway) && !isKnown) continue;
      const isAsked =
        'conn' in what ? conn === what.conn : 'user' in what && conn.user === what.user;
      const { edgeId, isServing } = conn.edge;
      const isThere = conn.openAt! < at && isServing && asked.has(edgeId);
      if (isAsked && isThere) return conn;
    }
    return undefined;
  };

  return {
    asked(ask) {
      world.later(ANSWER_MS, () => {
        if (answered.has(ask) || !isLate(ask)) return;
        journal.violation('answers', `no answer to ${describe(ask)}`);
      });
    },
    acked(ask, status) {
      if (answered.has(ask)) journal.violation('answers', `two answers to ${describe(ask)}`);
      answered.add(ask);
      // Those included that have left meanwhile.
      const edges = [...world.edges.values()];
      const isCalm = journal.wasCalm(ask.at, ...edges) && world.nobodyFrozeSince(ask.at);
      if (status === AckStatus.Timeout && isCalm) {
        journal.violation('answers', `timed out, though nothing was wrong: ${describe(ask)}`);
      }
      if (status !== AckStatus.NotFound) return;
      const found = holder(ask);
      if (found === undefined) return;
      // Its edge may have ended the connection, and the client hear of it only now.
      world.later(HEARD_MS, () => {
        if (found.endedAt !== undefined) return;
        journal.violation(
          'answers',
          `not found, though ${found.id} was at ${found.edge.edgeId}: ${describe(ask)}`,
        );
      });
    },
  };
};
