import type { Socket, SocketHandler } from '../ports/socket.ts';
import { SendResult } from '../ports/socket.ts';
import { readable } from './wire.test-support.ts';

/**
 * Stands in for uWebSockets.js: records what is sent, tells its session of an `end` or `close`
 * before they return, and throws for whoever touches it afterwards.
 */
export class FakeSocket implements Socket {
  readonly sent: { readonly text: string; readonly binary: boolean }[] = [];
  readonly bytes: Buffer[] = [];
  /** What `send` answers next, and always. */
  answer: number = SendResult.Sent;
  buffered = 0;
  ended: { readonly code: number; readonly reason: string } | undefined;
  cut = false;
  #handler: SocketHandler | undefined;

  open(handler: SocketHandler): void {
    this.#handler = handler;
    handler.opened(this);
  }

  get isOpen(): boolean {
    return this.#handler !== undefined;
  }

  send(message: Uint8Array, binary: boolean): number {
    this.#opened();
    if (this.answer === SendResult.Dropped) return this.answer;
    this.sent.push({ text: readable(message), binary });
    this.bytes.push(Buffer.from(message));
    return this.answer;
  }

  getBufferedAmount(): number {
    this.#opened();
    return this.buffered;
  }

  end(code: number, reason: string): void {
    const handler = this.#opened();
    this.ended = { code, reason };
    this.#handler = undefined;
    handler.disconnected(code, reason);
  }

  close(): void {
    const handler = this.#opened();
    this.cut = true;
    this.#handler = undefined;
    handler.disconnected(1006, '');
  }

  /** The peer sends bytes; they are overwritten afterwards, because they are only lent. */
  receive(bytes: Uint8Array): void {
    const lent = Buffer.from(bytes);
    this.#opened().received(lent);
    lent.fill(0xff);
  }

  /** The peer has taken everything. */
  drain(): void {
    this.buffered = 0;
    this.answer = SendResult.Sent;
    this.#opened().drained();
  }

  /** The peer has gone. */
  leave(code: number, why = ''): void {
    const handler = this.#opened();
    this.#handler = undefined;
    handler.disconnected(code, why);
  }

  #opened(): SocketHandler {
    if (this.#handler === undefined) throw new Error('Invalid access of closed uWS.WebSocket');
    return this.#handler;
  }
}
