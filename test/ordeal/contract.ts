export const HUB = 'ordeal';
/** How many groups clients are dealt out to. */
export const GROUPS = 50;

/** What the hub calls on its clients. */
export interface OrdealClient {
  /** To a group. `speaker`: an app server that lives now; its numbers to the group count on. */
  said(speaker: string, number: number): void;
  /** To each group once, with a number that has not been used. */
  roll(number: number): void;
}

/** What part of the clients comes by which transport. */
export const SHARES = { WebSockets: 0.8, ServerSentEvents: 0.1, LongPolling: 0.1 };
export type TransportName = keyof typeof SHARES;

/** How clients go about it, in milliseconds. */
export interface Habits {
  /** Between an answer and the next call, give or take half. */
  readonly callEvery: number;
  /** A client tries to come back within this time of a loss, at random, and again each time it fails. */
  readonly reconnect: number;
}

/** What clients did and noticed since the crowd was asked last. */
export interface Notice {
  /** Connected now. */
  connected: number;
  /** Calls that were answered. */
  calls: number;
  /** Calls that ended with an error: their connection or app server was lost. */
  failed: number;
  /** Calls that have neither an answer nor an error, and are older than a minute. */
  open: number;
  /** Connections that were lost, or closed by the service. */
  lost: number;
  /**
   * Of those that came back in that time, from the loss to the new connection, in milliseconds, without
   * what they had chosen to wait.
   */
  waits: number[];
  /** Numbers of a speaker that a connection did not hear, though it heard one before and one behind. */
  missed: number;
  /** Numbers that came behind a later one. */
  late: number;
  /** Numbers that came twice, and answers to another call. */
  twice: number;
  /** Clients that heard the latest roll, once. */
  present: number;
  /** The longest wait for an answer, in milliseconds. */
  longestCall: number;
}
