import { EventEmitter } from 'node:events';

import type { TrunkSocket } from './socket.ts';

interface Waiting {
  readonly bytes: Uint8Array;
  readonly sent: () => void;
}

/** A socket whose other end takes what waits only when a test says so. */
export class HandSocket extends EventEmitter implements TrunkSocket {
  readonly OPEN = 1;
  readonly CLOSED = 3;
  readyState = 1;
  isPaused = false;
  closeCode: number | undefined;
  readonly waiting: Waiting[] = [];

  get bufferedAmount(): number {
    return this.waiting.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  send(bytes: Uint8Array, _options: { readonly binary: true }, sent: () => void): void {
    this.waiting.push({ bytes, sent });
  }

  /** The other end takes the first that waits. */
  take(): void {
    this.waiting.shift()!.sent();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(code: number): void {
    this.readyState = 2;
    this.closeCode = code;
  }

  terminate(): void {
    this.close(1006);
  }
}
