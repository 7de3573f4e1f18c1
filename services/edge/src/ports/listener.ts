import type { SocketHandler } from './socket.ts';

/** An HTTP request, copied off the wire: it may be kept. */
export interface HttpRequest {
  /** Without its `?`, still percent-encoded. */
  readonly query: string;
  /** Names in lower case; a repeated header is merged into one, cookies with `; `. */
  readonly headers: ReadonlyMap<string, string>;
  /** The peer's IP address. */
  readonly remoteAddress: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Empty unless given. */
  readonly body?: string;
}

/** What stands behind the public port. All of it answers at once. */
export interface Doors {
  /** A WebSocket at `/client/`, or why it is refused. */
  client(request: HttpRequest): SocketHandler | HttpAnswer;
  /** A WebSocket at `/server/`. */
  server(request: HttpRequest): SocketHandler | HttpAnswer;
  /** `POST /client/negotiate`. */
  negotiate(request: HttpRequest): HttpAnswer;
}

export interface Listener {
  /** The port it is bound to. */
  readonly port: number;
  /** Takes no new connections; those there are stay. */
  stopListening(): void;
  /** Cuts what is left. */
  close(): void;
}
