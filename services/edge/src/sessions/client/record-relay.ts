import type { OpenCalls } from '@trunkline/protocol';
import {
  classifyRecord,
  discard,
  encodeErrorCompletion,
  HubMessageType,
  isTooDeep,
  MAX_SERVICE_MESSAGE_BYTES,
  ProtocolError,
  RecordBuffer,
  recordEnd,
  RecordInfo,
} from '@trunkline/protocol';
import type { ClientProtocol } from './client-protocol.ts';
import { sharedHandshake } from './client-protocol.ts';
import { noteFromClient, noteToClient } from './open-call-tracker.ts';

/** Where whole hub messages go: `bytes` holds `count` of them and nothing else, lent for the call. */
export interface RecordSink {
  toServer(bytes: Uint8Array, count: number): void;
  toClient(bytes: Uint8Array, count: number): void;
  /** The client has said what no client says; it went no further. */
  stray(): void;
  /** The client has said that it is there, or less than that: clients do once in some seconds. */
  saidNothing(): void;
  /** Whether so many bytes of a message that the client has begun may be kept; if not, the client is closed. */
  mayKeep(bytes: number): boolean;
  /** Nothing but what `toClient` was given lies in `memory` any more. */
  release(memory: Uint8Array): void;
}

/** Filled in for one record after another: the relays of all clients take turns. */
const info = new RecordInfo();

/** Messages of a client that are worked off at once: some tenths of a millisecond. */
const SLICE_RECORDS = 512;
/** Hub messages in one piece of an app server: real ones have a few, and none is worth 10 ms. */
const PIECE_RECORDS = 65_536;

/** It is asked before so much is copied whether there is room for it. */
const LONG_BYTES = 64 * 1024;

/** What has fewer bytes, framing included, is no hub message: a ping is the shortest. */
const LEAST_TEXT = '{"type":6}\x1e'.length;
const LEAST_BINARY = 3;

/** How many messages the latest call of `#pass` has been through. */
let passed = 0;

/**
 * The hub messages between one client and its hub. Bytes pass on in whole messages only, both ways:
 * clients need that (client protocols reference, section 2.1), and at any moment the client stands
 * at a message boundary, where another server can take over. The calls that are open are tracked.
 */
export class RecordRelay {
  /** The hub protocol that both speak, and the handshake request that said so. */
  readonly protocol: ClientProtocol;
  readonly request: Uint8Array;
  readonly binary: boolean;
  readonly #limit: number;
  /** Exist only while a message is unfinished. */
  #tailFromClient: RecordBuffer | undefined;
  #tailToClient: RecordBuffer | undefined;
  /** The client's calls that its hub has not completed; undefined for none. */
  calls: OpenCalls | undefined;
  /** The hub, or the client, has said Close: nothing that matters follows. */
  sawClose = false;
  /** The hub has said Close: the client is told nothing more (section 10, trap 32). */
  hubClosed = false;

  /** `request` is copied, unless another client has sent the same. `limit`: bytes of one message from the client, framing included. */
  constructor(protocol: ClientProtocol, request: Uint8Array, limit: number) {
    this.protocol = protocol;
    this.request = sharedHandshake(request);
    this.binary = protocol.binary;
    this.#limit = limit;
  }

  /**
   * The server has begun a message and not ended it, or calls run: of the open ones `held` do not, since
   * no server has been given them.
   */
  isAtWork(held: number): boolean {
    if (this.#tailToClient !== undefined) return true;
    return this.calls !== undefined && this.calls.size + this.calls.missed > held;
  }

  /** Ends the open calls in their hub's place, `held` ones aside; answers how many those were. */
  failCalls(error: string, held: (id: string) => boolean, sink: RecordSink): number {
    const ids = this.calls?.ids().filter((id) => !held(id)) ?? [];
    for (const id of ids) this.toClient(encodeErrorCompletion(this.binary, id, error), sink);
    return ids.length;
  }

  /** Bytes kept of a message that the client has begun and not ended. */
  get keptFromClient(): number {
    return this.#tailFromClient?.reserved ?? 0;
  }

  /** Bytes kept of a message that the server has begun and not ended. */
  get keptToClient(): number {
    return this.#tailToClient?.reserved ?? 0;
  }

  /** A server that is gone will not finish what it had begun to say. */
  dropUnfinished(): void {
    this.#tailToClient?.drop();
    this.#tailToClient = undefined;
  }

  /** Nothing passes any more, neither way. */
  end(): void {
    this.#tailFromClient?.drop();
    this.dropUnfinished();
  }

  /**
   * Passes on some messages, and answers how many bytes that was; what is left is for another call.
   * Throws ProtocolError for what is not framed as hub messages, or over the limit.
   */
  fromClient(bytes: Uint8Array, sink: RecordSink): number {
    if (this.#tailFromClient === undefined) {
      const end = this.#pass(bytes, this.#limit, SLICE_RECORDS, true, sink);
      if (end === bytes.length || passed === SLICE_RECORDS) return end;
      const left = bytes.length - end;
      if (left >= LONG_BYTES && !sink.mayKeep(left)) return bytes.length;
      this.#tailFromClient = new RecordBuffer(this.binary, this.#limit, discard);
      return end + this.#tailFromClient.push(bytes.subarray(end), isWhole);
    }
    const tail = this.#tailFromClient;
    const taken = tail.push(bytes, (whole, start, end) => {
      this.#pass(whole.subarray(start, end), this.#limit, 1, true, sink);
      return false;
    });
    if (tail.held === 0) this.#tailFromClient = undefined;
    return taken;
  }

  /** The limit of this way is what a server may say at once, so that no tail grows for ever. */
  toClient(bytes: Uint8Array, sink: RecordSink): void {
    let rest = bytes;
    if (this.#tailToClient === undefined) {
      const end = this.#pass(bytes, MAX_SERVICE_MESSAGE_BYTES, PIECE_RECORDS, false, sink);
      if (end === bytes.length) return;
      if (passed === PIECE_RECORDS) throw tooMany(end);
      rest = bytes.subarray(end);
      this.#tailToClient = new RecordBuffer(this.binary, MAX_SERVICE_MESSAGE_BYTES, (memory) =>
        sink.release(memory),
      );
    }
    const tail = this.#tailToClient;
    let count = 0;
    tail.push(rest, (whole, start, end) => {
      if (++count > PIECE_RECORDS) throw tooMany(start);
      this.#pass(whole.subarray(start, end), MAX_SERVICE_MESSAGE_BYTES, 1, false, sink);
    });
    if (tail.held === 0) this.#tailToClient = undefined;
  }

  /** Hands on up to `most` whole records at the start of `bytes`, and answers where they end. */
  #pass(
    bytes: Uint8Array,
    limit: number,
    most: number,
    fromClient: boolean,
    sink: RecordSink,
  ): number {
    const hand = fromClient ? sink.toServer : sink.toClient;
    const least = this.binary ? LEAST_BINARY : LEAST_TEXT;
    let start = 0;
    let count = 0;
    let end = 0;
    let records = 0;
    while (end < bytes.length && records < most) {
      const next = recordEnd(this.binary, bytes, end, limit);
      if (next === -1) break;
      records++;
      if (fromClient && this.binary && isTooDeep(bytes, end, next)) throw tooDeep(end);
      classifyRecord(this.binary, bytes, end, next, info);
      if (isStray(fromClient) || (this.hubClosed && !fromClient)) {
        if (fromClient) sink.stray();
        if (count > 0) hand.call(sink, bytes.subarray(start, end), count);
        start = next;
        count = 0;
      } else {
        if (fromClient && (info.type === HubMessageType.Ping || next - end < least)) {
          sink.saidNothing();
        }
        if (info.type === HubMessageType.Close) {
          this.sawClose = true;
          this.hubClosed ||= !fromClient;
        }
        if (fromClient) this.calls = noteFromClient(this.calls, info, bytes);
        else this.calls = noteToClient(this.calls, info, bytes);
        count++;
      }
      end = next;
    }
    if (count > 0) {
      const all = start === 0 && end === bytes.length;
      hand.call(sink, all ? bytes : bytes.subarray(start, end), count);
    }
    // At last: whoever is handed messages may answer at once, which passes this way, too.
    passed = records;
    return end;
  }
}

/**
 * Whether `info` tells of a message that ends here. Acks and sequences belong to stateful
 * reconnection, which is never agreed on; Java and Python clients break at them. A completion
 * without an id completes nothing, but ASP.NET would drop the client in Go that sends it (client
 * protocols reference, section 10, traps 10 and 35).
 */
function isStray(fromClient: boolean): boolean {
  const { type, idEnd } = info;
  if (type === HubMessageType.Ack || type === HubMessageType.Sequence) return true;
  return fromClient && type === HubMessageType.Completion && idEnd === 0;
}

/** What follows the last whole message is part of one: nothing in it is handed on. */
const isWhole = (): void => {
  throw new Error('a whole message was left over');
};

/** MessagePack readers recurse, and .NET's has been brought down by it; JSON readers have bounds of their own. */
function tooDeep(offset: number): ProtocolError {
  return new ProtocolError('too-deep', offset, 'a hub message nested over 100 levels deep');
}

function tooMany(offset: number): ProtocolError {
  return new ProtocolError('oversized', offset, `over ${PIECE_RECORDS} hub messages at once`);
}
