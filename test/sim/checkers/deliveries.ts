import { Memberships } from '../memberships.ts';
import type { Audience, Conn, Send } from '../journal.ts';
import type { MakeChecker } from './checker.ts';

/** By when what is sent has come, in milliseconds. */
const COME_MS = 2_500;
/** How long a message is on its way to an edge. */
const UNDERWAY_MS = 200;

/**
 * What is sent comes to everybody whom it is for: an acked join is in force, wherever the client and the
 * sender are. Only where the bus was disturbed, a process froze or a connection ended, may it be missing.
 */
export const deliveries: MakeChecker = (journal, world) => {
  const memberships = new Memberships(journal, world);
  const open = new Map<string, { readonly send: Send; readonly missing: Set<Conn> }>();
  const keyOf = (line: string, number: number): string => `${line} ${number}`;

  const isFor = (conn: Conn, to: Audience): boolean => {
    if (to.kind === 'all') return true;
    if (to.kind === 'user') return conn.user === to.name;
    if (to.kind === 'conn') return conn.id === to.name;
    return memberships.isIn(conn, to.name);
  };

  const mayMiss = (conn: Conn, { line, at }: Send): boolean => {
    const { edge } = conn;
    if (conn.endedAt !== undefined || edge.wasFrozenSince(at) || line.edge.wasFrozenSince(at)) {
      return true;
    }
    // What it had said may have been lost on its way to its edge.
    if (!line.isOpen || !edge.isServing || !line.edge.isServing) return true;
    // Any edge may have been on the way.
    if (conn.roams) return !world.nobodyFrozeSince(at) || !journal.wasCalm(at, ...world.live);
    return edge !== line.edge && !journal.wasCalm(at, edge, line.edge);
  };

  const judge = (send: Send, missing: Set<Conn>): void => {
    const { line, number, to } = send;
    open.delete(keyOf(line.name, number));
    for (const conn of missing) {
      if (mayMiss(conn, send)) continue;
      const where = conn.edge === line.edge ? 'here' : `at ${conn.edge.edgeId}`;
      journal.violation(
        'deliveries',
        `${conn.id} (${conn.user}, ${where}) missed ${number} of ${line.name} at ${line.edge.edgeId} to ${JSON.stringify(to)}, sent at ${send.at.toFixed(0)}`,
      );
    }
  };

  return {
    sent(send) {
      const missing = new Set<Conn>();
      for (const conn of journal.conns) if (isFor(conn, send.to)) missing.add(conn);
      if (missing.size === 0) return;
      open.set(keyOf(send.line.name, send.number), { send, missing });
      world.later(COME_MS, () => judge(send, missing));
    },
    heard(conn, line, number) {
      open.get(keyOf(line, number))?.missing.delete(conn);
    },
    asked(ask) {
      memberships.asked(ask);
      const { what } = ask;
      if (what.kind !== 'leave' && what.kind !== 'leaveUser') return;
      // What was sent just before, on another server connection, may come after it.
      for (const { send, missing } of open.values()) {
        if (send.to.kind !== 'group' || send.to.name !== what.group) continue;
        for (const conn of missing) {
          const leaves = 'conn' in what ? conn === what.conn : conn.user === what.user;
          if (leaves && ask.at - send.at < UNDERWAY_MS) missing.delete(conn);
        }
      }
    },
    acked: (ask, status) => memberships.acked(ask, status),
    ended: (conn) => memberships.ended(conn),
    joinedUsers: () => memberships.joinedUsers(),
    rulesLost: () => memberships.rulesLost(),
  };
};
