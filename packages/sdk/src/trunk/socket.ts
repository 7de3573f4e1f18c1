import type { IncomingMessage } from 'node:http';

/** What stands for the way to the service: as much of a WebSocket of ws as server connections use. */
export interface TrunkSocket {
  readonly OPEN: number;
  readonly CLOSED: number;
  readonly readyState: number;
  readonly bufferedAmount: number;
  readonly isPaused: boolean;
  once(event: 'open', listener: () => void): unknown;
  once(
    event: 'unexpected-response',
    listener: (request: unknown, response: IncomingMessage) => void,
  ): unknown;
  once(event: 'close', listener: (code: number) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'message', listener: (data: unknown) => void): unknown;
  send(bytes: Uint8Array, options: { readonly binary: true }, sent: () => void): void;
  pause(): void;
  resume(): void;
  close(code: number): void;
  terminate(): void;
}

/** What the service is told of a server connection as it is dialled. */
export interface Dialled {
  /** The hub key. */
  readonly hub: string;
  /** Says what the app has clients call, so that the edge can tell two apps under one key apart. */
  readonly offer: string;
  /** What a rebalancing service asked for. */
  readonly target: string | undefined;
  /** Another address of the service than that of its connection string: the URL of one edge. */
  readonly url?: string | undefined;
  /** The edge that it must not be, whichever one a load balancer chooses. */
  readonly elsewhere?: string | undefined;
}
