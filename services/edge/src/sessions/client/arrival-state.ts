import { ByteWriter } from '@trunkline/protocol';
import type { HeldMessage, OpeningBytes } from './opening-queue.ts';
import { OpeningQueue } from './opening-queue.ts';

/**
 * What a client connection needs only until its hub has answered the handshake: most of all room
 * for what comes too early. Dropped as a whole when the client is open.
 */

/**
 * Bytes of a client that may wait until an app server has it: as many as ASP.NET Core itself takes of a
 * connection that is not read. Real clients send some hundred: they wait for their handshake response.
 */
export const EARLY_BYTES = 64 * 1024;

/** What a client connection begins with: see `ClientIdentity`. */
interface Beginning {
  readonly handshakeMs: number;
  readonly expiresAt: number | undefined;
  readonly early: Buffer | undefined;
}

export class ArrivalState {
  /** When the client has to be open, or at least one step further, on the edge's clock (ms). */
  deadline: number;
  /** The client has been told that its handshake is refused. */
  answered = false;
  /** The client has said more than its handshake request. What it said may be lost with its host. */
  forwarded = false;
  readonly expiresAt: number | undefined;
  readonly #startedAt: number;
  #early: ByteWriter | undefined;
  /** What is for the client and waits for its handshake response; for most clients nothing does. */
  #held: OpeningQueue | undefined;

  constructor(now: number, { handshakeMs, expiresAt, early }: Beginning) {
    this.#startedAt = now;
    this.deadline = now + handshakeMs;
    this.expiresAt = expiresAt;
    if (early !== undefined) {
      this.#early = new ByteWriter(early.length);
      this.#early.raw(early);
    }
  }

  /** Nothing but the handshake request has passed between the client and an app server. */
  get isFresh(): boolean {
    return !this.answered && !this.forwarded;
  }

  /** Seconds since the connection was made. */
  age(now: number): number {
    return (now - this.#startedAt) / 1000;
  }

  /** Keeps a copy of the client's bytes; false when there are too many. */
  keepEarly(bytes: Uint8Array): boolean {
    const early = (this.#early ??= new ByteWriter(bytes.length));
    if (early.length + bytes.length > EARLY_BYTES) return false;
    early.raw(bytes);
    return true;
  }

  /** Takes everything that is kept of the client; undefined for nothing. */
  takeEarly(): Buffer | undefined {
    const early = this.#early?.view();
    this.#early = undefined;
    return early;
  }

  /** Holds a message for the client; false when too much is held. */
  hold(message: HeldMessage, pool: OpeningBytes): boolean {
    this.#held ??= new OpeningQueue(pool);
    return this.#held.add(message);
  }

  /** Takes everything that is held for the client; undefined for nothing. */
  takeHeld(): { readonly bytes: Uint8Array; readonly count: number } | undefined {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return undefined;
    const { count } = held;
    return { bytes: held.take(), count };
  }

  /** Drops what is held for the client. */
  dropHeld(): void {
    this.#held?.clear();
    this.#held = undefined;
  }

  /** Drops what is kept of the client, too: it is gone. */
  drop(): void {
    this.dropHeld();
    this.#early?.discard();
    this.#early = undefined;
  }

  /** Bytes held for the client; of messages that are held for several, its part. */
  get heldPart(): number {
    return this.#held?.part ?? 0;
  }
}
