import { DataType, MessageType } from '@trunkline/protocol';

import type { Profile } from '../profiles.ts';
import type { ServerConnection } from '../trunk/server-connection.ts';

const RECORD_SEPARATOR = 0x1e;

export interface OutputOptions {
  readonly id: string;
  readonly profile: Profile;
  readonly server: ServerConnection;
  /** The client was moved here and is long past its handshake: the response is not for it. */
  readonly migratedIn: boolean;
  /** Whether a hub message behind the handshake response can be found in the stream at all. */
  readonly readable: () => boolean;
  /** The server connection would not take its bytes. */
  readonly unwritable: () => void;
}

/**
 * What a hub writes to its client, on its way into ConnectionData a turn later: one hub message each,
 * or all that is ready (service protocol reference, sections 8.3, 18.2 and 20.4).
 */
export class Output {
  readonly #options: OutputOptions;
  #server: ServerConnection;
  #queue: { readonly bytes: Uint8Array; readonly kind: number }[] = [];
  #held = false;
  #abandoned = false;
  #scheduled = false;
  #handshakeDue: boolean;
  readonly #flushed: (() => void)[] = [];

  constructor(options: OutputOptions) {
    this.#options = options;
    this.#server = options.server;
    this.#handshakeDue = options.migratedIn;
  }

  write(bytes: Uint8Array, kind: number): void {
    if (this.#abandoned) return;
    this.#queue.push({ bytes, kind });
    this.#schedule();
  }

  /** Keeps what is written from now on. */
  hold(): void {
    this.#held = true;
  }

  /** Goes on, on this connection. */
  release(server: ServerConnection): void {
    this.#server = server;
    this.#held = false;
    this.#schedule();
  }

  /** Nothing more goes out, not even what waits. */
  abandon(): void {
    this.#abandoned = true;
    this.#queue = [];
  }

  /** Resolves when what is ready has gone out. */
  async drained(): Promise<void> {
    if (this.#scheduled) await new Promise<void>((resolve) => this.#flushed.push(resolve));
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#held) this.#flush();
      for (const resolve of this.#flushed.splice(0)) resolve();
    });
  }

  #flush(): void {
    const ready = this.#queue;
    this.#queue = [];
    if (this.#options.profile.marksData) {
      for (const { bytes, kind } of ready) this.#sendMarked(bytes, kind);
    } else if (ready.length > 0) {
      this.#sendMerged(Buffer.concat(ready.map(({ bytes }) => bytes)));
    }
  }

  #sendMarked(payload: Uint8Array, dataType: number): void {
    const handshake = dataType === DataType.Handshake;
    if (handshake && this.#handshakeDue) this.#handshakeDue = false;
    else if (handshake || this.#options.readable()) this.#send({ payload, dataType });
  }

  /** The response is cut off where its bytes end; nobody knows here what they are. */
  #sendMerged(bytes: Buffer): void {
    let payload = bytes;
    if (this.#handshakeDue) {
      this.#handshakeDue = false;
      payload = bytes.subarray(bytes.indexOf(RECORD_SEPARATOR) + 1);
    }
    if (payload.length > 0) this.#send({ payload });
  }

  #send(data: { payload: Uint8Array; dataType?: number }): void {
    if (!this.#server.isWritable) return this.#options.unwritable();
    const { id: connectionId } = this.#options;
    this.#server.write({ type: MessageType.ConnectionData, connectionId, ...data });
  }
}
