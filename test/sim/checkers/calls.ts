import type { Call } from '../journal.ts';
import type { MakeChecker } from './checker.ts';

/** App servers answer at once; a client on the move has its calls answered with an error in time. */
const ANSWER_MS = 30_000;

/** Each call of a client is answered once, or its connection ends. */
export const calls: MakeChecker = (journal, world) => {
  const answered = new Set<Call>();
  const late = (call: Call): void => {
    if (answered.has(call) || call.conn.endedAt !== undefined) return;
    if (!call.conn.edge.isServing || call.conn.edge.wasFrozenSince(call.at)) return;
    journal.violation('calls', `${call.conn.id} has no answer to ${call.id}`);
  };
  return {
    called(call) {
      world.later(ANSWER_MS, () => late(call));
    },
    answered(call) {
      if (answered.has(call)) {
        journal.violation('calls', `${call.conn.id} has a second answer to ${call.id}`);
      }
      answered.add(call);
    },
  };
};
