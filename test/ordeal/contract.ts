export const HUB = 'ordeal';
/** How many groups clients are dealt out to. */
export const GROUPS = 50;

/** What the hub calls on its clients. */
export interface OrdealClient {
  /** `speaker`: an app server that lives now; its numbers count on. */
  said(speaker: string, number: number): void;
  /** To each group once, with a number that has not been used. */
  roll(number: number): void;
}

export const TRANSPORTS = ['WebSockets', 'ServerSentEvents', 'LongPolling'] as const;
export type TransportName = (typeof TRANSPORTS)[number];

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
  /** Of those that came back in that time, from the loss to the new connection, in milliseconds. */
  waits: number[];
  /** Numbers of a speaker that a connection did not hear between two that it heard. */
  missed: number;
  /** Numbers that came twice, or behind a later one. */
  disorder: number;
  /** Clients that heard the latest roll, once. */
  present: number;
  /** The longest wait for an answer, in milliseconds. */
  longestCall: number;
}
