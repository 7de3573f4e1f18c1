/** What happened at one hub since the server was made; read when metrics are collected. */
export interface HubCounts {
  /** Clients whose `onConnected` has succeeded. */
  connects: number;
  /** Of those, the ones that have gone. */
  disconnects: number;
  /** Calls of hub methods that were started. */
  calls: number;
  /** Of those, the ones that threw. */
  failures: number;
  /** Messages handed to the service for clients, a broadcast being one. */
  sends: number;
  /** Messages of the service that could not be read. */
  unreadable: number;
}

export function noCounts(): HubCounts {
  return { connects: 0, disconnects: 0, calls: 0, failures: 0, sends: 0, unreadable: 0 };
}
