import type { Exchange } from './exchange.ts';
import type { Upgrade } from './upgrade.ts';

/** An HTTP request, copied off the wire: it may be kept. */
export interface HttpRequest {
  /** As it was sent: `GET`. */
  readonly method: string;
  /** From its `/` to the query, still percent-encoded. */
  readonly path: string;
  /** Without its `?`, still percent-encoded. */
  readonly query: string;
  /** Names in lower case; a repeated header is merged into one, cookies with `; `. */
  readonly headers: ReadonlyMap<string, string>;
  /** The peer's IP address. */
  readonly remoteAddress: string;
}

/** Whether a `GET` of `/client/` wants an event stream, rather than to poll. */
export function asksForEvents({ headers }: HttpRequest): boolean {
  return headers.get('accept')?.includes('text/event-stream') === true;
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

interface Addressed {
  /** The id of the connection it is for; empty for a REST call. */
  readonly client: string;
  /** Whose share of all posts it counts against: see `Visitor`; of REST calls the hub. */
  readonly owner: string;
  /** What is answered in its place where its body is refused, if not the very answer that is given. */
  refused?(answer: HttpAnswer): HttpAnswer;
}

/** A post whose body is to be read: for whom, and what becomes of it. */
export interface Post extends Addressed {
  /** Takes the whole body, which is its own from then on. Not called if the post is answered before. */
  take(body: Buffer): void;
}

/** A post whose body goes on to another edge as it comes. */
export interface PassedPost extends Addressed {
  /**
   * Takes a piece of the body, which is its own from then on and counts against the post's owner until
   * `passed` is called. Not called any more once the post is answered.
   */
  pass(piece: Buffer, isLast: boolean, passed: () => void): void;
}

/**
 * What stands behind the public port. Each door decides or answers within the call, or later: because
 * another edge has to be asked, for one thing. The listener sets no deadline to that, so whoever waits
 * has one.
 */
export interface Doors {
  /** A WebSocket at `/client/`. */
  client(request: HttpRequest, upgrade: Upgrade): void;
  /** A WebSocket at `/server/`. */
  server(request: HttpRequest, upgrade: Upgrade): void;
  /** `POST /client/negotiate`. */
  negotiate(request: HttpRequest, exchange: Exchange): void;
  /** `GET /client/` that is no upgrade: server-sent events, or a poll. */
  receive(request: HttpRequest, exchange: Exchange): void;
  /**
   * `POST /client/`: whose it is and what to do with its body, or undefined if that stays unread. Who
   * waits for the word of another edge has the body read meanwhile, within the bounds of its owner.
   */
  send(request: HttpRequest, exchange: Exchange): Post | PassedPost | undefined;
  /** `DELETE /client/`. */
  leave(request: HttpRequest, exchange: Exchange): void;
  /** Any method below `/api/`; a post where there is a body to be read. */
  rest(request: HttpRequest, exchange: Exchange): Post | undefined;
}

export interface Listener {
  /** The port it is bound to. */
  readonly port: number;
  /** Takes no new connections; those there are stay. */
  stopListening(): void;
  /** Cuts what is left. */
  close(): void;
}
