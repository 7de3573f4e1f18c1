import {
  ByteWriter,
  CONNECTION_DATA_OVERHEAD,
  TRUNK_FRAME_BYTES,
  writeConnectionData,
  writeConnectionDataHead,
} from '@trunkline/protocol';
import type { Socket } from '../../ports/socket.ts';
import { SendResult } from '../../ports/socket.ts';
import type { Time } from '../../ports/time.ts';
import type { Counters } from '../counters.ts';
import type { EdgeContext } from '../edge-context.ts';
import type { TurnFlusher } from '../turn-flusher.ts';

/** Payloads from here on go to the socket as they are, rather than through the batch. */
const LARGE_PAYLOAD_BYTES = 64 * 1024;
/** A server connection with more than this queued takes no new clients. */
const FULL_BYTES = 1024 * 1024;
/** What a client may leave with a server connection that is full, and all of them together. */
const OWED_PER_CLIENT_BYTES = 256 * 1024;
const OWED_BYTES = 16 * 1024 * 1024;
const ENDING = Uint8Array.of(0x80);

/** What a client has sent through a trunk while it was full, and in which of its epochs. */
export interface Debtor {
  owed: number;
  owedEpoch: number;
}

/** What a trunk tells its server connection. */
export interface TrunkRules {
  /** The socket has refused bytes: the stream is broken. */
  readonly overflowed: () => void;
  /** It has become full. */
  readonly filled: () => void;
}

/**
 * The outgoing half of a server connection. What is written in one turn leaves as one WebSocket
 * message; message borders mean nothing to the reader (service protocol reference, section 5.1).
 */
export class Trunk {
  readonly writer = new ByteWriter(16 * 1024);
  readonly #socket: Socket;
  readonly #time: Time;
  readonly #flusher: TurnFlusher;
  readonly #counters: Counters;
  readonly #rules: TrunkRules;
  #scheduled = false;
  #closed = false;
  /** When the oldest message of the batch came, and how many it has. */
  #since = 0;
  #messages = 0;
  full = false;
  /** Counts the times that this trunk has been full: allowances begin anew each time. */
  #epoch = 0;
  /** Bytes taken from clients since it became full. */
  #owed = 0;

  constructor(
    socket: Socket,
    context: Pick<EdgeContext, 'time' | 'flusher' | 'counters'>,
    rules: TrunkRules,
  ) {
    this.#socket = socket;
    this.#time = context.time;
    this.#flusher = context.flusher;
    this.#counters = context.counters;
    this.#rules = rules;
  }

  /** Whether the client may leave a payload of so many bytes with a trunk that is full. */
  allows(client: Debtor, payload: number): boolean {
    // The queue holds frames: a payload of a byte is forty times that there.
    const bytes = payload + CONNECTION_DATA_OVERHEAD;
    if (client.owedEpoch !== this.#epoch) {
      client.owedEpoch = this.#epoch;
      client.owed = 0;
    }
    client.owed += bytes;
    this.#owed += bytes;
    return client.owed <= OWED_PER_CLIENT_BYTES && this.#owed <= OWED_BYTES;
  }

  /** One ConnectionData for `bytes[start, end)`. */
  data(id: string, bytes: Uint8Array, start: number, end: number, messages: number): void {
    if (this.#messages === 0) this.#since = this.#time.now();
    this.#messages += messages;
    if (end - start < LARGE_PAYLOAD_BYTES) {
      writeConnectionData(this.writer, id, bytes, start, end);
    } else {
      writeConnectionDataHead(this.writer, id, end - start);
      this.flush();
      this.#send(bytes.subarray(start, end));
      this.writer.raw(ENDING);
    }
    this.schedule();
  }

  /** To be called after writing to `writer`. */
  schedule(): void {
    if (this.writer.length >= TRUNK_FRAME_BYTES) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      this.#flusher.add(this);
    }
  }

  flush(): void {
    this.#scheduled = false;
    if (this.#closed || this.writer.length === 0) return;
    this.#send(this.writer.view());
    this.writer.clear();
    if (this.#messages === 0) return;
    const seconds = (this.#time.now() - this.#since) / 1000;
    this.#counters.clientToServerSeconds.observe(seconds, this.#messages);
    this.#counters.messagesToServers += this.#messages;
    this.#messages = 0;
  }

  drained(): void {
    if (this.full && this.#socket.getBufferedAmount() === 0) {
      this.full = false;
      this.#owed = 0;
    }
  }

  queuedBytes(): number {
    return this.writer.length + (this.#closed ? 0 : this.#socket.getBufferedAmount());
  }

  /** Nothing is written to the socket after this. */
  close(): void {
    this.#closed = true;
  }

  #send(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#counters.bytesToServers += bytes.length;
    const result = this.#socket.send(bytes, true);
    if (result === SendResult.Sent) return;
    if (result === SendResult.Dropped) {
      this.#closed = true;
      this.#rules.overflowed();
    } else if (!this.full && this.#socket.getBufferedAmount() > FULL_BYTES) {
      this.full = true;
      this.#epoch++;
      this.#owed = 0;
      this.#rules.filled();
    }
  }
}
