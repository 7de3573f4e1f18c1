/**
 * What joins edges. Guarantees: at most once; from one edge, order kept across all subjects; never
 * blocks the caller and keeps no reference to `bytes` after it returns; what an edge publishes does
 * not come back to it.
 */
export interface Bus {
  publish(subject: string, bytes: Uint8Array): void;
  subscribe(subject: string): void;
  unsubscribe(subject: string): void;
  /** Ends the membership; nothing is received after it resolves. */
  close(): Promise<void>;
}

/** `bytes` are lent for the call. */
export type BusReceiver = (subject: string, bytes: Uint8Array) => void;
