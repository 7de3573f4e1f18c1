import type { Served } from './served.ts';

/** A client of another edge that a server connection of this one serves, as server connections see it. */
export interface Guest extends Served {
  /** Its app server passes on what the client has answered. `body`: a ClientCompletion, lent for the call. */
  answered(body: Uint8Array): void;
  /** Its server connection was full, and takes more again. */
  resumed(): void;
}
