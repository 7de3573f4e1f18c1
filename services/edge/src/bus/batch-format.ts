/**
 * What edges put on an engine, NATS or Redis: batches of messages for one subject.
 *
 *      0  u8   major version of this format; of another one nothing else is known
 *      1  u8   minor version
 *      2  u16  bytes of the header; what a newer minor version has behind the id is passed over
 *      4  u48  number: batches of a sender are numbered in the order in which they were said
 *     10  u48  number of the batch before it for the same subject; 0: not known
 *     16  u32  losses: grows whenever the sender was cut off or had to drop something
 *     20  8 B  incarnation: random for each time that an edge joins
 *     28  u8   bytes of the edge's id, in UTF-8
 *     29       the id
 *     then frames: u8 kind, u32 bytes, the bytes; a frame of an unknown kind is passed over
 *
 * Integers are big-endian. A message that does not fit into a batch travels as parts of several in
 * a row; the first one begins with the length of all of it (u32).
 */
export const FORMAT_MAJOR = 1;
const FORMAT_MINOR = 0;

/** Longest batch, so that an engine takes it: NATS refuses messages over 1 MB by default. */
export const MAX_BATCH_BYTES = 512 * 1024;
/**
 * Longest batch of several messages. Memory of over 48 KiB the kernel gives anew each time, and takes back
 * (`MALLOC_MMAP_THRESHOLD_`): with batches of 512 KiB that was a fifth of the time at both ends, for the
 * batch, the client library's copies of it, and what the hearer joins of the pieces of 64 KiB that it reads.
 * Shorter ones than this cost as much.
 */
export const FULL_BATCH_BYTES = 32 * 1024;
/** Longest message. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** Longest id of an edge, in UTF-8. */
export const MAX_ID_BYTES = 255;

/** A whole message; the first part of one, behind the message's length; another part of it. */
export const FrameKind = { whole: 0, first: 1, more: 2 } as const;

const NUMBER_AT = 4;
const PREVIOUS_AT = 10;
const LOSSES_AT = 16;
const INCARNATION_AT = 20;
export const INCARNATION_BYTES = 8;
const ID_AT = 29;
export const FRAME_HEAD_BYTES = 5;
const TOTAL_BYTES = 4;
const FIRST_ROOM = 256;
/** The head of a command, mostly: to call the engine for it takes longer than to copy it. */
const SHORT_BYTES = 32;

/** The start of every batch of an edge, with number, previous and losses to be filled in. */
export function headerOf(edgeId: string, incarnation: Uint8Array): Buffer {
  const id = Buffer.from(edgeId);
  if (id.length > MAX_ID_BYTES) throw new RangeError('the id of an edge is too long');
  const header = Buffer.alloc(ID_AT + id.length);
  header[0] = FORMAT_MAJOR;
  header[1] = FORMAT_MINOR;
  header.writeUInt16BE(header.length, 2);
  header.set(incarnation.subarray(0, INCARNATION_BYTES), INCARNATION_AT);
  header[ID_AT - 1] = id.length;
  header.set(id, ID_AT);
  return header;
}

/** Who a header is of, as `BatchHeader` has it. */
export function senderOf(header: Buffer): string {
  return header.toString('latin1', INCARNATION_AT, ID_AT + header[ID_AT - 1]!);
}

/** The id of the edge that a sender is. */
export function edgeIdOf(sender: string): string {
  return Buffer.from(sender.slice(ID_AT - INCARNATION_AT), 'latin1').toString();
}

/** What a batch says of itself. */
export interface BatchHeader {
  /** Tells senders apart: an edge that joins anew is another one. */
  readonly sender: string;
  readonly number: number;
  readonly previous: number;
  readonly losses: number;
  /** Where its frames begin. */
  readonly end: number;
}

/** The major version that a batch is in; undefined where it is nothing at all. */
export function majorOf(batch: Buffer): number | undefined {
  return batch[0];
}

/** Reads the header of a batch in our major version; undefined where it is none. */
export function readHeader(batch: Buffer): BatchHeader | undefined {
  if (batch.length < ID_AT) return undefined;
  const end = batch.readUInt16BE(2);
  const idEnd = ID_AT + batch[ID_AT - 1]!;
  if (end < idEnd || batch.length < end) return undefined;
  return {
    sender: senderOf(batch),
    number: batch.readUIntBE(NUMBER_AT, 6),
    previous: batch.readUIntBE(PREVIOUS_AT, 6),
    losses: batch.readUInt32BE(LOSSES_AT),
    end,
  };
}

/** A batch that is being filled. */
export class Batch {
  readonly subject: string;
  /** The one edge that it is for; undefined for all who listen. */
  readonly to: string | undefined;
  /** How many messages end in it. */
  messages = 0;
  /** When it was full, or its turn over. */
  closedAt = 0;
  #bytes: Buffer;
  #length: number;

  /** `room`: for what is to go in first, at least; `length`: that it may well get. */
  constructor(subject: string, to: string | undefined, header: Buffer, room: number, length = 0) {
    this.subject = subject;
    this.to = to;
    const needed = header.length + FRAME_HEAD_BYTES + room;
    this.#bytes = Buffer.allocUnsafe(Math.max(FIRST_ROOM, needed, length));
    this.#bytes.set(header);
    this.#length = header.length;
  }

  get length(): number {
    return this.#length;
  }

  /** The same with one more message of so many bytes. */
  lengthWith(bytes: number): number {
    return this.#length + FRAME_HEAD_BYTES + bytes;
  }

  /** Payload bytes that one more frame may have. */
  get room(): number {
    return MAX_BATCH_BYTES - this.#length - FRAME_HEAD_BYTES;
  }

  /** A message of one piece or two. */
  addWhole(message: Uint8Array, rest?: Uint8Array): void {
    this.#addFrame(FrameKind.whole, message.length + (rest === undefined ? 0 : rest.length));
    if (message.length <= SHORT_BYTES) this.#appendShort(message);
    else this.#append(message);
    if (rest !== undefined) this.#append(rest);
    this.messages++;
  }

  /** Takes what fits of a message from `start` on; answers where the next part begins. */
  addPart(message: Uint8Array, start: number): number {
    const isFirst = start === 0;
    const room = this.room - (isFirst ? TOTAL_BYTES : 0);
    const end = Math.min(message.length, start + room);
    const length = end - start + (isFirst ? TOTAL_BYTES : 0);
    this.#addFrame(isFirst ? FrameKind.first : FrameKind.more, length);
    if (isFirst) this.#length = this.#bytes.writeUInt32BE(message.length, this.#length);
    this.#append(message.subarray(start, end));
    if (end === message.length) this.messages++;
    return end;
  }

  close(number: number, previous: number, now: number): void {
    this.closedAt = now;
    this.#bytes.writeUIntBE(number, NUMBER_AT, 6);
    this.#bytes.writeUIntBE(previous, PREVIOUS_AT, 6);
  }

  /** As it goes out, in a memory of its own. */
  finish(losses: number): Buffer {
    this.#bytes.writeUInt32BE(losses, LOSSES_AT);
    return this.#bytes.subarray(0, this.#length);
  }

  #addFrame(kind: number, length: number): void {
    this.#reserve(FRAME_HEAD_BYTES + length);
    this.#bytes[this.#length] = kind;
    this.#length = this.#bytes.writeUInt32BE(length, this.#length + 1);
  }

  #append(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #appendShort(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at++) this.#bytes[this.#length + at] = bytes[at]!;
    this.#length += bytes.length;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const most = needed <= FULL_BATCH_BYTES ? FULL_BATCH_BYTES : MAX_BATCH_BYTES;
    const larger = Buffer.allocUnsafe(Math.max(needed, Math.min(2 * this.#bytes.length, most)));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
