import { deferred } from '../deferred.ts';
import type { Deferred } from '../deferred.ts';
import { FrameBatch } from './frame-batch.ts';
import type { TrunkSocket } from './socket.ts';

/** Shares of what may wait: behind the first streams rest, behind the second calls do. */
const STREAMS = 1 / 2;
const ANSWERS = 3 / 4;

/** The sending half of a server connection: batched by turns, and bounded. */
export class Outlet {
  readonly batch: FrameBatch;
  readonly #socket: TrunkSocket;
  readonly #limit: number;
  readonly #takenUnread: () => void;
  #drained: Deferred<void> | undefined;

  /** `takenUnread`: the service has taken something while nothing that it says is read. */
  constructor(socket: TrunkSocket, limit: number, takenUnread: () => void) {
    this.#socket = socket;
    this.#limit = limit;
    this.#takenUnread = takenUnread;
    this.batch = new FrameBatch((bytes) => this.#write(bytes));
  }

  /** Bytes that the service has not taken yet. */
  get waiting(): number {
    return this.#socket.bufferedAmount + this.batch.size;
  }

  get full(): boolean {
    return this.waiting >= this.#limit;
  }

  /**
   * Pending from where over half of what may wait does until it no longer does, unless nothing will
   * be sent any more.
   */
  roomForStreams(): Promise<void> | undefined {
    return this.#roomBelow(STREAMS);
  }

  /**
   * The same from three quarters on. Nothing is read meanwhile: what clients call is answered here,
   * and would only pile up elsewhere.
   */
  roomForAnswers(): Promise<void> | undefined {
    const room = this.#roomBelow(ANSWERS);
    if (room !== undefined) this.#socket.pause();
    return room;
  }

  /** Lets go of whoever waits for room. */
  close(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  #write(bytes: Buffer): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(bytes, { binary: true }, () => this.#sent());
  }

  #sent(): void {
    if (this.#socket.isPaused) this.#takenUnread();
    if (this.#isOver(STREAMS)) return;
    if (this.#socket.isPaused) this.#socket.resume();
    this.close();
  }

  #roomBelow(share: number): Promise<void> | undefined {
    if (!this.#isOver(share)) return undefined;
    this.#drained ??= deferred();
    return this.#drained.promise;
  }

  #isOver(share: number): boolean {
    return this.waiting > this.#limit * share;
  }
}
