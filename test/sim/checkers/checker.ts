import type { SimEdge } from '../edge.ts';
import type { Ask, Call, Conn, Journal, Send } from '../journal.ts';
import type { World } from '../world.ts';

/** Watches a simulation, and tells the journal what must not have happened. */
export interface Checker {
  sent?(send: Send): void;
  heard?(conn: Conn, line: string, number: number): void;
  asked?(ask: Ask): void;
  acked?(ask: Ask, status: number): void;
  called?(call: Call): void;
  answered?(call: Call): void;
  ended?(conn: Conn): void;
  accepted?(id: string, edge: SimEdge): void;
  refused?(id: string, edge: SimEdge, at: number): void;
  /** An edge has answered a negotiate with the URL of another one. */
  sentOn?(from: SimEdge, to: SimEdge): void;
  /** What users were joined to may be known to nobody any more. */
  rulesLost?(): void;
  /** `user group` of what users have been joined to for certain. */
  joinedUsers?(): readonly string[];
  /** All disturbances are over, everybody is there who is to be there, and time enough has passed. */
  settled?(world: World): void;
  /** Everybody has gone. */
  over?(world: World): void;
}

export type MakeChecker = (journal: Journal, world: World) => Checker;
