import type { RelayFrame } from './relay-frames.ts';
import { encodeRelayFrame } from './relay-frames.ts';

/**
 * So many bytes of relays may be under way to one edge: many relays with much to say each, as after a
 * send to everybody, would else fill the bus's queue in one turn, and what is dropped there ends them all.
 */
const LINE_BYTES = 1024 * 1024;
/**
 * And so many until no more requests begin: they cannot wait, and each has up to 32 KB of headers. Small
 * ones come by thousands in one turn, as when all who poll have been answered by a send, and find a place
 * beside what fills the line.
 */
const REQUEST_BYTES = 4 * LINE_BYTES;
/** What has come is told in steps of this. */
const HEARD_BYTES = LINE_BYTES / 8;

/** Who has something to say as soon as the line has room. */
export interface Waiter {
  goOn(): void;
}

/** What two edges say to each other of relays. */
export class RelayLine {
  readonly #send: (bytes: Uint8Array) => void;
  readonly #waiters = new Set<Waiter>();
  /** Said, and not known to have been heard. */
  #underWay = 0;
  /** Heard, and not told. */
  #untold = 0;

  /** `send`: to the other edge. */
  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
  }

  get hasRoom(): boolean {
    return this.#underWay < LINE_BYTES;
  }

  /** A request may begin. */
  get takesRequests(): boolean {
    return this.#underWay < REQUEST_BYTES;
  }

  /** Says it, room or not: whoever has much to say looks first. */
  say(frame: RelayFrame): void {
    const bytes = encodeRelayFrame(frame);
    this.#underWay += bytes.length;
    this.#send(bytes);
  }

  whenRoom(waiter: Waiter): void {
    this.#waiters.add(waiter);
  }

  leave(waiter: Waiter): void {
    this.#waiters.delete(waiter);
  }

  /** A frame of so many bytes has come from the other edge. */
  came(bytes: number): void {
    this.#untold += bytes;
    if (this.#untold < HEARD_BYTES) return;
    this.#send(encodeRelayFrame({ kind: 'heard', bytes: this.#untold }));
    this.#untold = 0;
  }

  /** The other edge has heard so many bytes. */
  heard(bytes: number): void {
    this.#underWay = Math.max(0, this.#underWay - bytes);
    for (const waiter of this.#waiters) {
      if (!this.hasRoom) return;
      this.#waiters.delete(waiter);
      waiter.goOn();
    }
  }
}
