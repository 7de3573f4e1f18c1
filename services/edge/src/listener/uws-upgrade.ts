import type { HttpResponse, us_socket_context_t, WebSocket } from 'uWebSockets.js';
import type { HttpAnswer, HttpRequest } from '../ports/listener.ts';
import type { SocketHandler } from '../ports/socket.ts';
import { GONE_SOCKET } from '../ports/socket.ts';
import type { Upgrade } from '../ports/upgrade.ts';

/** Decides about a request for a WebSocket, or keeps it for later. */
export type UpgradeDoor = (request: HttpRequest, upgrade: Upgrade) => void;

/**
 * The module copies these properties onto its socket: one, which leads to everything else. It is of one
 * class for all sockets, or the engine would ask for memory to note that: see `#upgradeLate`.
 */
export interface UserData {
  readonly seat: Seat;
}

/** Has the handler of a WebSocket. */
export class Seat {
  handler: SocketHandler;

  constructor(handler: SocketHandler) {
    this.handler = handler;
  }
}

/** What requests for WebSockets of one kind have in common. */
export interface UpgradeKind {
  /** Where the module puts a WebSocket when it is open. */
  readonly opened: WebSocket<UserData>[];
  readonly refuse: (res: HttpResponse, request: HttpRequest, answer: HttpAnswer) => void;
}

/** A request for a WebSocket at uWebSockets.js, which must not be touched once its peer has gone. */
export class UwsUpgrade implements Upgrade {
  gone: (() => void) | undefined;
  readonly #res: HttpResponse;
  readonly #request: HttpRequest;
  readonly #context: us_socket_context_t;
  readonly #kind: UpgradeKind;
  /** The call in which the module has brought the request is not over. */
  #inCall = false;
  /** Nothing is done about it yet, and its peer is there. */
  #isOpen = true;

  constructor(
    res: HttpResponse,
    request: HttpRequest,
    context: us_socket_context_t,
    kind: UpgradeKind,
  ) {
    this.#res = res;
    this.#request = request;
    this.#context = context;
    this.#kind = kind;
  }

  /** Asks `door`, in the call in which the module has brought the request. */
  ask(door: UpgradeDoor): void {
    this.#inCall = true;
    door(this.#request, this);
    this.#inCall = false;
    if (this.#isOpen) this.#keep();
  }

  /** Asks `door` when the turn of the event loop is over, unless the peer has gone by then. */
  askNextTurn(door: UpgradeDoor): void {
    this.#keep();
    setImmediate(() => {
      if (this.#isOpen) door(this.#request, this);
    });
  }

  /**
   * If it comes later, the module may be at another request, whose answer it would send to the new
   * WebSocket. When the turn is over it is at none.
   */
  accept(handler: SocketHandler): void {
    if (this.#inCall) return this.#upgrade(handler);
    this.gone = () => lose(handler);
    setImmediate(() => {
      if (this.#isOpen) this.#upgradeLate(handler);
    });
  }

  refuse(answer: HttpAnswer): void {
    this.#isOpen = false;
    this.#kind.refuse(this.#res, this.#request, answer);
  }

  #keep(): void {
    this.#res.onAborted(() => {
      this.#isOpen = false;
      this.gone?.();
    });
  }

  #upgrade(handler: SocketHandler): void {
    this.#isOpen = false;
    // No sub-protocol is chosen: no official client offers one.
    const userData: UserData = { seat: new Seat(handler) };
    this.#res.upgrade<UserData>(userData, this.#key, '', '', this.#context);
    handler.opened(this.#kind.opened.pop()!);
  }

  /**
   * Outside of that call one has to cork. At the end of a cork this release of the module looks at
   * memory that the upgrade has given back (some 80 bytes, where the request's state was), and cuts the
   * WebSocket if they are in use again with a certain bit set. So nothing of ours runs meanwhile that
   * could ask for memory: no function that is compiled when it is first called (with one, a process in
   * four lost the first WebSocket that was late), and no property of the socket whose values are of
   * another class than those before (a process in fifteen). The module's later releases do not look.
   */
  #upgradeLate(handler: SocketHandler): void {
    this.#isOpen = false;
    const res = this.#res;
    const standIn = new StandIn();
    const userData: UserData = { seat: new Seat(standIn) };
    res.cork(res.upgrade.bind(res, userData, this.#key, '', '', this.#context));
    const socket = this.#kind.opened.pop()!;
    if (standIn.hasGone) return lose(handler);
    userData.seat.handler = handler;
    handler.opened(socket);
  }

  get #key(): string {
    return this.#request.headers.get('sec-websocket-key') ?? '';
  }
}

/** Holds the place of a handler while its WebSocket is made. */
class StandIn implements SocketHandler {
  hasGone = false;

  opened(): void {}

  received(): void {}

  drained(): void {}

  disconnected(): void {
    this.hasGone = true;
  }
}

/** Tells a handler of a peer that has gone before it could be told that it is there. */
function lose(handler: SocketHandler): void {
  handler.opened(GONE_SOCKET);
  handler.disconnected(1006, '');
}
