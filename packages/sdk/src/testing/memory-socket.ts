import { EventEmitter } from 'node:events';

import type { TrunkSocket } from '../trunk/socket.ts';

const OPEN = 1;
const CLOSED = 3;

/** The app server's end of a connection to a service in this process. */
export class MemorySocket extends EventEmitter implements TrunkSocket {
  readonly OPEN = OPEN;
  readonly CLOSED = CLOSED;
  readyState = 0;
  /** The service takes everything at once. */
  readonly bufferedAmount = 0;
  isPaused = false;
  readonly #take: (bytes: Uint8Array) => void;
  #unread: Buffer[] = [];

  constructor(take: (bytes: Uint8Array) => void) {
    super();
    this.#take = take;
    setImmediate(() => {
      if (this.readyState === CLOSED) return;
      this.readyState = OPEN;
      this.emit('open');
    });
  }

  send(bytes: Uint8Array, _options: { readonly binary: true }, sent: () => void): void {
    this.#take(bytes);
    setImmediate(sent);
  }

  /** What the service says; it comes in a later turn, as from a network. */
  deliver(bytes: Buffer): void {
    this.#unread.push(bytes);
    setImmediate(() => this.#read());
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    setImmediate(() => this.#read());
  }

  close(code: number): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    setImmediate(() => this.emit('close', code));
  }

  terminate(): void {
    this.close(1006);
  }

  #read(): void {
    while (!this.isPaused && this.readyState === OPEN && this.#unread.length > 0) {
      this.emit('message', this.#unread.shift());
    }
  }
}
