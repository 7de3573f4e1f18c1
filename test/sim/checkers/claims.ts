import type { SimEdge } from '../edge.ts';
import type { MakeChecker } from './checker.ts';

/**
 * An id is opened once, wherever its token is brought, also when the edge that has given it out is
 * killed; and whoever brings it first is let in. Only where edges cannot hear each other, or one that
 * is frozen counts as gone, nobody can know.
 */
export const claims: MakeChecker = (journal, world) => {
  const opened = new Map<string, { readonly edge: SimEdge; readonly at: number }>();
  const isCalm = (at: number): boolean =>
    journal.wasCalm(at, ...world.edges.values()) && world.nobodyFrozeSince(at);
  return {
    accepted(id, edge) {
      const first = opened.get(id);
      opened.set(id, { edge, at: journal.now });
      if (first === undefined || first.edge.machine.hasEnded || !isCalm(first.at)) return;
      journal.violation(
        'claims',
        `${id} is opened at ${edge.edgeId}, and was at ${first.edge.edgeId} at ${first.at.toFixed(0)}`,
      );
    },
    refused(id, edge, at) {
      if (!edge.isServing || edge.drainsSince !== undefined || !isCalm(at)) return;
      journal.violation('claims', `${id} is refused at ${edge.edgeId}, though nothing was wrong`);
    },
  };
};
