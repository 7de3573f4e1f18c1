import type { RelayLine, Waiter } from './relay-line.ts';

/** So many bytes of one body or answer may be under way: a reader that stops holds up no more at its edge. */
export const WINDOW_BYTES = 128 * 1024;
/** At most at a time. */
const PIECE_BYTES = 64 * 1024;
/** What has been taken is told in steps of this, and so at the latest before the window is used up. */
const TAKEN_BYTES = WINDOW_BYTES / 4;

interface Piece {
  bytes: Uint8Array;
  readonly isLast: boolean;
  /** Called when it has been said. */
  readonly said: (() => void) | undefined;
}

/** Says the bytes of a body or an answer to another edge, as fast as that edge's reader takes them. */
export class RelayWindow implements Waiter {
  readonly #line: RelayLine;
  readonly #say: (bytes: Uint8Array, isLast: boolean) => void;
  readonly #emptied: () => void;
  readonly #waiting: Piece[] = [];
  #room = WINDOW_BYTES;

  /** `emptied`: all has been said, and had not for a while. */
  constructor(
    line: RelayLine,
    say: (bytes: Uint8Array, isLast: boolean) => void,
    emptied: () => void,
  ) {
    this.#line = line;
    this.#say = say;
    this.#emptied = emptied;
  }

  /** The bytes are the window's from then on. False while some of them wait. */
  write(bytes: Uint8Array, isLast: boolean, said?: () => void): boolean {
    this.#waiting.push({ bytes, isLast, said });
    return this.#waiting.length === 1 && this.#push();
  }

  /** The other edge's reader has taken so many. */
  taken(bytes: number): void {
    this.#room += bytes;
    this.goOn();
  }

  goOn(): void {
    if (this.#waiting.length > 0 && this.#push()) this.#emptied();
  }

  /** What waits is not said any more. */
  close(): void {
    this.#waiting.length = 0;
    this.#line.leave(this);
  }

  #push(): boolean {
    for (let [piece] = this.#waiting; piece !== undefined; [piece] = this.#waiting) {
      if (this.#room <= 0) return false;
      if (!this.#line.hasRoom) {
        this.#line.whenRoom(this);
        return false;
      }
      const size = Math.min(piece.bytes.length, this.#room, PIECE_BYTES);
      const isWhole = size === piece.bytes.length;
      this.#room -= size;
      const bytes = piece.bytes.subarray(0, size);
      piece.bytes = piece.bytes.subarray(size);
      if (isWhole) this.#waiting.shift();
      this.#say(bytes, isWhole && piece.isLast);
      if (isWhole) piece.said?.();
    }
    return true;
  }
}

/** The other side of a window: counts what its reader has taken. */
export class Taken {
  readonly #tell: (bytes: number) => void;
  #untold = 0;

  constructor(tell: (bytes: number) => void) {
    this.#tell = tell;
  }

  add(bytes: number): void {
    this.#untold += bytes;
    if (this.#untold < TAKEN_BYTES) return;
    this.#tell(this.#untold);
    this.#untold = 0;
  }
}
