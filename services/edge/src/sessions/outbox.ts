import { discard } from '@trunkline/protocol';
import type { Histogram } from '@trunkline/telemetry';
import type { Time } from '../ports/time.ts';

/** Messages for one client are joined up to so many bytes; more of them are several writes. */
const JOINED_BYTES = 64 * 1024;
/** Before clients have been sent more than this, on average, it is written: longer, and joining gains nothing. */
const EASED_BYTES = JOINED_BYTES / 2;
const EASED_MESSAGES = 256;

/** A client, as what writes to it sees it. */
export interface Writable {
  /** Messages that it has been sent and that have not been written, in order. */
  unsent: Uint8Array | Uint8Array[] | undefined;
  /** Writes whole hub messages to its socket, if it has one still. `bytes` are lent for the call. */
  write(bytes: Uint8Array): void;
}

/**
 * What clients are sent while one piece of an app server's bytes is worked off is written when that
 * is done, the messages of each client together: one write costs what twenty messages in it cost,
 * and a busy app server says much at once. Who says one thing at a time waits for nothing.
 */
export class Outbox {
  readonly #fanoutSeconds: Histogram;
  readonly #time: Pick<Time, 'now'>;
  #collects = false;
  readonly #clients: Writable[] = [];
  /** What they have been sent. */
  #messages = 0;
  #bytes = 0;
  /** Memory that messages lie in which have not been written. */
  readonly #lent: Uint8Array[] = [];
  /** Sends to many whose messages have not been written, and when the first of them began. */
  #fanouts = 0;
  #fanoutsSince = 0;
  readonly #room = new Uint8Array(JOINED_BYTES);
  /** The messages that lie in `#room`, one behind the other: a broadcast is joined once for all. */
  #joined: readonly Uint8Array[] = [];
  #joinedLength = 0;

  /** `fanoutSeconds` observes each send to many, from the begin of the first that is written with it to its last write. */
  constructor(fanoutSeconds: Histogram, time: Pick<Time, 'now'>) {
    this.#fanoutSeconds = fanoutSeconds;
    this.#time = time;
  }

  /** From now on messages are kept, up to `end`; what they lie in must stay until then. */
  begin(): void {
    this.#collects = true;
  }

  /** Sends a client whole hub messages: at once, or at the end of what has begun. */
  send(client: Writable, bytes: Uint8Array): void {
    if (!this.#collects) return client.write(bytes);
    this.#messages++;
    this.#bytes += bytes.length;
    const { unsent } = client;
    if (unsent === undefined) {
      client.unsent = bytes;
      this.#clients.push(client);
    } else if (Array.isArray(unsent)) {
      unsent.push(bytes);
    } else {
      client.unsent = [unsent, bytes];
    }
  }

  /** Writes what this client has been sent. */
  flush(client: Writable): void {
    const { unsent } = client;
    if (unsent === undefined) return;
    client.unsent = undefined;
    if (Array.isArray(unsent)) this.#writeTogether(client, unsent);
    else client.write(unsent);
  }

  /** Discards memory that messages lie in, once those have been written. */
  release(memory: Uint8Array): void {
    if (this.#collects) this.#lent.push(memory);
    else discard(memory);
  }

  /** Collects while `work` runs: what that sends to clients must stay until it returns. */
  during(work: () => void): void {
    if (this.#collects) return work();
    this.begin();
    try {
      work();
    } finally {
      this.end();
    }
  }

  /** Delivers one send to many, by `each`. What this sends to clients lies in memory that is lent for the call. */
  fanOut(each: () => void): void {
    if (this.#fanouts++ === 0) this.#fanoutsSince = this.#time.now();
    this.during(each);
  }

  /** Writes everything if that is much already, so that the work of writing it does not pile up. */
  ease(): void {
    const { length } = this.#clients;
    if (this.#bytes <= length * EASED_BYTES && this.#messages <= length * EASED_MESSAGES) return;
    this.end();
    this.begin();
  }

  /** Writes everything, and what writing it causes. */
  end(): void {
    const clients = this.#clients;
    for (let next = 0; next < clients.length; next++) this.flush(clients[next]!);
    clients.length = 0;
    this.#messages = 0;
    this.#bytes = 0;
    this.#collects = false;
    this.#joined = [];
    for (const memory of this.#lent) discard(memory);
    this.#lent.length = 0;
    if (this.#fanouts > 0) this.#observe();
  }

  #writeTogether(client: Writable, messages: readonly Uint8Array[]): void {
    if (!isSame(messages, this.#joined)) return this.#join(client, messages);
    client.write(this.#room.subarray(0, this.#joinedLength));
  }

  /** Writes the messages joined, in pieces if they are long; what is one piece may be for others, too. */
  #join(client: Writable, messages: readonly Uint8Array[]): void {
    this.#joined = [];
    let length = 0;
    let isOnePiece = true;
    for (const bytes of messages) {
      if (length + bytes.length > JOINED_BYTES) {
        isOnePiece = false;
        if (length > 0) client.write(this.#room.subarray(0, length));
        length = 0;
        if (bytes.length > JOINED_BYTES) {
          client.write(bytes);
          continue;
        }
      }
      this.#room.set(bytes, length);
      length += bytes.length;
    }
    if (isOnePiece) {
      this.#joined = messages;
      this.#joinedLength = length;
    }
    if (length > 0) client.write(this.#room.subarray(0, length));
  }

  #observe(): void {
    const ms = this.#time.now() - this.#fanoutsSince;
    this.#fanoutSeconds.observe(ms / 1000, this.#fanouts);
    this.#fanouts = 0;
  }
}

function isSame(some: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  if (some.length !== others.length) return false;
  for (let at = 0; at < some.length; at++) if (some[at] !== others[at]) return false;
  return true;
}
