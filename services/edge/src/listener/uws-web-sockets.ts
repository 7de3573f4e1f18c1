import type { WebSocket, WebSocketBehavior } from 'uWebSockets.js';
import type { ReadRequest } from './uws-request.ts';
import type { UpgradeDoor, UpgradeKind, UserData } from './uws-upgrade.ts';
import { UwsUpgrade } from './uws-upgrade.ts';

/** What WebSockets of one kind have in common. */
export interface WebSocketOptions {
  /** One message of a peer, at most. */
  readonly webSocketMessageBytes: number;
  /** What may wait for a peer before its messages are dropped. */
  readonly queueBytes: number;
  /** After so many seconds without a byte a peer is cut, if it does not answer a ping; 0: never. */
  readonly silentSeconds: number;
  readonly read: ReadRequest;
  readonly refuse: UpgradeKind['refuse'];
  /** Whether an upgrade has to wait until its turn is over, because of `Newcomers`. */
  readonly mustWait: () => boolean;
  /** Told of each WebSocket that has ended. */
  readonly gone: () => void;
}

/** The only version of the protocol that there is an RFC for. */
const VERSION = '13';

/**
 * WebSockets of those that `admit` lets in. Keep-alive belongs to the protocols; pings of the module's
 * own go to peers that say nothing, before they are cut.
 */
export function webSockets(
  options: WebSocketOptions,
  admit: UpgradeDoor,
): WebSocketBehavior<UserData> {
  const { webSocketMessageBytes, queueBytes, silentSeconds, read, refuse, mustWait, gone } =
    options;
  const door: UpgradeDoor = (request, upgrade) => {
    if (request.headers.get('sec-websocket-version') === VERSION) admit(request, upgrade);
    else upgrade.refuse({ status: 426, headers: { 'sec-websocket-version': VERSION } });
  };
  const opened: WebSocket<UserData>[] = [];
  const kind = { opened, refuse };
  return {
    maxPayloadLength: webSocketMessageBytes,
    maxBackpressure: queueBytes,
    idleTimeout: silentSeconds,
    sendPingsAutomatically: silentSeconds > 0,
    upgrade: (res, req, context) => {
      const request = read(res, req);
      if (request === undefined) return;
      const upgrade = new UwsUpgrade(res, request, context, kind);
      if (mustWait()) upgrade.askNextTurn(door);
      else upgrade.ask(door);
    },
    // None of ours: see `UwsUpgrade`.
    open: opened.push.bind(opened) as (ws: WebSocket<UserData>) => void,
    message: (ws, message) => ws.getUserData().seat.handler.received(Buffer.from(message)),
    drain: (ws) => ws.getUserData().seat.handler.drained(),
    close: (ws, code, message) => {
      gone();
      ws.getUserData().seat.handler.disconnected(code, Buffer.from(message).toString());
    },
  };
}
