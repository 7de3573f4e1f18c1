import type { Conn } from '../journal.ts';
import type { MakeChecker } from './checker.ts';

/** What one server connection says comes to one client in its order, and nothing comes twice. */
export const order: MakeChecker = (journal) => {
  const latest = new WeakMap<Conn, Map<string, number>>();
  return {
    heard(conn, line, number) {
      const ofConn = latest.get(conn) ?? new Map<string, number>();
      latest.set(conn, ofConn);
      const before = ofConn.get(line) ?? -1;
      if (number <= before) {
        journal.violation('order', `${conn.id} heard ${number} of ${line} after ${before}`);
      }
      if (conn.endedAt !== undefined) {
        journal.violation('order', `${conn.id} heard ${number} of ${line} after its end`);
      }
      ofConn.set(line, number);
    },
  };
};
