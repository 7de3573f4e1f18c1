import type { Socket, SocketHandler } from '../../services/edge/src/ports/socket.ts';
import { SendResult } from '../../services/edge/src/ports/socket.ts';
import type { Upgrade } from '../../services/edge/src/ports/upgrade.ts';
import type { Machine } from './clock.ts';
import type { Dice } from './dice.ts';
import { Wire } from './wire.ts';

const MOST_MS = 4;

/** What a peer hears of its WebSocket. */
export interface PeerEvents {
  opened(): void;
  /** The edge takes it: said in that moment, before the peer can know. */
  accepted?(): void;
  received(bytes: Buffer): void;
  /** It was refused, or has ended; the last call. */
  closed(): void;
}

type Admit = (upgrade: Upgrade) => void;

/** A WebSocket of a peer to an edge: bytes take a while either way, and machines end or freeze at both ends. */
export class Connection {
  readonly #toEdge: Wire;
  readonly #toPeer: Wire;
  readonly #events: PeerEvents;
  #handler: SocketHandler | undefined;
  /** The edge has not decided whether it takes it. */
  #waiting: Upgrade | undefined;
  #isOver = false;

  /** Dials; `admit` is the edge's door. */
  constructor(edge: Machine, peer: Machine, dice: Dice, admit: Admit, events: PeerEvents) {
    this.#events = events;
    this.#toEdge = new Wire(edge, dice, MOST_MS);
    this.#toPeer = new Wire(peer, dice, MOST_MS);
    this.#toEdge.carry(() => admit(this.#upgrade()));
  }

  send(bytes: Uint8Array): void {
    const copy = Buffer.from(bytes);
    this.#toEdge.carry(() => {
      this.#handler?.received(copy);
      copy.fill(0xff);
    });
  }

  /** The peer ends it. */
  leave(): void {
    this.#toPeer.cut();
    if (this.#isOver) return;
    this.#isOver = true;
    this.#toEdge.carry(() => this.#gone());
  }

  /** The edge's process has ended: the peer is told by its network, in a while. */
  edgeEnded(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#toPeer.carry(() => this.#events.closed());
  }

  #upgrade(): Upgrade {
    return (this.#waiting = {
      gone: undefined,
      refuse: () => {
        this.#decided();
        this.#isOver = true;
        this.#toPeer.carry(() => this.#events.closed());
      },
      accept: (handler) => {
        this.#decided();
        this.#handler = handler;
        this.#events.accepted?.();
        this.#toPeer.carry(() => this.#events.opened());
        handler.opened(this.#socket());
      },
    });
  }

  #decided(): void {
    if (this.#waiting === undefined)
      throw new Error('a request was decided twice, or its peer had gone');
    this.#waiting = undefined;
  }

  #gone(): void {
    this.#waiting?.gone?.();
    this.#waiting = undefined;
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.disconnected(1006, '');
  }

  /** As uWebSockets.js has it: no touching after the end. */
  #socket(): Socket {
    const end = (): void => {
      this.#opened();
      this.#gone();
      if (!this.#isOver) this.#toPeer.carry(() => this.#events.closed());
      this.#isOver = true;
    };
    return {
      send: (message) => {
        this.#opened();
        const copy = Buffer.from(message);
        this.#toPeer.carry(() => this.#events.received(copy));
        return SendResult.Sent;
      },
      getBufferedAmount: () => (this.#opened(), 0),
      end,
      close: end,
    };
  }

  #opened(): void {
    if (this.#handler === undefined) throw new Error('a WebSocket was used after its end');
  }
}
