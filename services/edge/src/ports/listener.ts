import type { Exchange } from './exchange.ts';
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
  readonly body?: string | Uint8Array;
  /** Why the peer is refused, out of a closed set: for the log, never sent. */
  readonly why?: string;
  /** Close the connection behind the answer. */
  readonly hangUp?: true;
}

/** A post that is let in: for whom, and what becomes of its body. */
export interface Post {
  /** The id of the connection it is for. */
  readonly client: string;
  /** Whose share of all posts it counts against: see `Visitor`. */
  readonly owner: string;
  /** Takes the whole body, which is its own from then on, and answers now or later. */
  take(body: Buffer, exchange: Exchange): void;
}

/** What stands behind the public port. */
export interface Doors {
  /** A WebSocket at `/client/`, or why it is refused. */
  client(request: HttpRequest): SocketHandler | HttpAnswer;
  /** A WebSocket at `/server/`. */
  server(request: HttpRequest): SocketHandler | HttpAnswer;
  /** `POST /client/negotiate`. */
  negotiate(request: HttpRequest): HttpAnswer;
  /** `GET /client/` that is no upgrade: server-sent events, or a poll. */
  receive(request: HttpRequest, exchange: Exchange): void;
  /** `POST /client/`: whose it is and what to do with its body, or why it is refused unread. */
  send(request: HttpRequest): Post | HttpAnswer;
  /** `DELETE /client/`. */
  leave(request: HttpRequest): HttpAnswer;
}

export interface Listener {
  /** The port it is bound to. */
  readonly port: number;
  /** Takes no new connections; those there are stay. */
  stopListening(): void;
  /** Cuts what is left. */
  close(): void;
}
