import type { BodyExchange, ExchangeHandler } from '../../services/edge/src/ports/exchange.ts';
import type { HttpAnswer } from '../../services/edge/src/ports/listener.ts';
import type { Machine } from './clock.ts';
import type { Dice } from './dice.ts';
import { Wire } from './wire.ts';

const MOST_MS = 4;
const NOBODY = 0;

type Admit = (exchange: BodyExchange) => void;

/** An HTTP request of a peer to an edge, on a connection of its own. */
export class SimRequest {
  readonly #toEdge: Wire;
  readonly #toPeer: Wire;
  readonly #answered: (status: number, body: Buffer) => void;
  #exchange: SimExchange | undefined;
  #isOver = false;

  /** `admit` is the edge's door; `answered` is told 0 as the status where there is no whole answer. */
  constructor(
    edge: Machine,
    peer: Machine,
    dice: Dice,
    admit: Admit,
    answered: (status: number, body: Buffer) => void,
  ) {
    this.#answered = answered;
    this.#toEdge = new Wire(edge, dice, MOST_MS);
    this.#toPeer = new Wire(peer, dice, MOST_MS);
    this.#toEdge.carry(() => {
      this.#exchange = new SimExchange((status, body) => this.#end(status, body));
      admit(this.#exchange);
    });
  }

  /** The peer gives it up. */
  leave(): void {
    this.#toPeer.cut();
    if (this.#isOver) return;
    this.#isOver = true;
    this.#toEdge.carry(() => this.#exchange?.leave());
  }

  /** The edge's process has ended: the peer is told by its network, in a while. */
  edgeEnded(): void {
    if (!this.#isOver) this.#end(NOBODY, Buffer.alloc(0));
  }

  #end(status: number, body: Buffer): void {
    this.#isOver = true;
    this.#toPeer.carry(() => this.#answered(status, body));
  }
}

/** As uWebSockets.js has it: no touching after the end. */
class SimExchange implements BodyExchange {
  handler: ExchangeHandler | undefined;
  over: (() => void) | undefined;
  isOpen = true;
  readonly #done: (status: number, body: Buffer) => void;
  readonly #written: Uint8Array[] = [];
  #status = NOBODY;

  constructor(done: (status: number, body: Buffer) => void) {
    this.#done = done;
  }

  answer(answer: HttpAnswer): void {
    this.begin(answer);
    this.end();
  }

  begin({ status, body = '' }: HttpAnswer): void {
    this.#status = status;
    this.write(typeof body === 'string' ? Buffer.from(body) : body);
  }

  write(bytes: Uint8Array): boolean {
    if (!this.isOpen) throw new Error('a request was answered after its end');
    this.#written.push(Buffer.from(bytes));
    return true;
  }

  end(): void {
    this.#close();
    this.#done(this.#status, Buffer.concat(this.#written));
  }

  cut(): void {
    this.#close();
    this.#done(NOBODY, Buffer.alloc(0));
  }

  leave(): void {
    if (!this.isOpen) return;
    this.#close();
    this.handler?.gone();
  }

  #close(): void {
    if (!this.isOpen) throw new Error('a request was answered twice');
    this.isOpen = false;
    this.over?.();
  }
}
