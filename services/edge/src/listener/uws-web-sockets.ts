import type { HttpResponse, us_socket_context_t, WebSocketBehavior } from 'uWebSockets.js';
import type { HttpAnswer, HttpRequest } from '../ports/listener.ts';
import type { SocketHandler } from '../ports/socket.ts';
import { nextTurn } from './uws-exchange.ts';
import { copyRequest, refusedAsAmbiguous } from './uws-request.ts';

/** What WebSockets of one kind have in common. */
export interface WebSocketOptions {
  /** One message of a peer, at most. */
  readonly webSocketMessageBytes: number;
  /** What may wait for a peer before its messages are dropped. */
  readonly queueBytes: number;
  /** After so many seconds without a byte a peer is cut, if it does not answer a ping; 0: never. */
  readonly silentSeconds: number;
  readonly refuse: (res: HttpResponse, request: HttpRequest, answer: HttpAnswer) => void;
  /** Whether an upgrade has to wait until its turn is over, because of `Newcomers`. */
  readonly mustWait: () => boolean;
  /** Told of each WebSocket that has ended. */
  readonly gone: () => void;
}

/** The only version of the protocol that there is an RFC for. */
const VERSION = '13';

/** The module copies these properties onto its socket: one, which leads to everything else. */
interface UserData {
  readonly handler: SocketHandler;
}

/**
 * WebSockets of those that `admit` has a handler for. Keep-alive belongs to the protocols; pings of
 * the module's own go to peers that say nothing, before they are cut.
 */
export function webSockets(
  { webSocketMessageBytes, queueBytes, silentSeconds, refuse, mustWait, gone }: WebSocketOptions,
  admit: (request: HttpRequest) => SocketHandler | HttpAnswer,
): WebSocketBehavior<UserData> {
  const decide = (res: HttpResponse, request: HttpRequest, context: us_socket_context_t): void => {
    const verdict = otherVersion(request) ?? admit(request);
    if ('status' in verdict) refuse(res, request, verdict);
    else upgrade(res, request, context, verdict);
  };
  return {
    maxPayloadLength: webSocketMessageBytes,
    maxBackpressure: queueBytes,
    idleTimeout: silentSeconds,
    sendPingsAutomatically: silentSeconds > 0,
    upgrade: (res, req, context) => {
      const request = copyRequest(res, req);
      if (refusedAsAmbiguous(res, request)) return;
      if (mustWait()) nextTurn(res, () => decide(res, request, context));
      else decide(res, request, context);
    },
    open: (ws) => ws.getUserData().handler.opened(ws),
    message: (ws, message) => ws.getUserData().handler.received(Buffer.from(message)),
    drain: (ws) => ws.getUserData().handler.drained(),
    close: (ws, code, message) => {
      gone();
      ws.getUserData().handler.disconnected(code, Buffer.from(message).toString());
    },
  };
}

function otherVersion({ headers }: HttpRequest): HttpAnswer | undefined {
  if (headers.get('sec-websocket-version') === VERSION) return undefined;
  return { status: 426, headers: { 'sec-websocket-version': VERSION } };
}

function upgrade(
  res: HttpResponse,
  request: HttpRequest,
  context: us_socket_context_t,
  handler: SocketHandler,
): void {
  // No sub-protocol is chosen: no official client offers one.
  const userData: UserData = { handler };
  res.upgrade(userData, request.headers.get('sec-websocket-key') ?? '', '', '', context);
}
