import { LRUCache } from 'lru-cache';
import type { GapCause } from '../ports/bus.ts';
import type { BatchHeader } from './batch-format.ts';
import { LOSSES_SUBJECT } from './batching.ts';
import {
  edgeIdOf,
  FORMAT_MAJOR,
  FRAME_HEAD_BYTES,
  FrameKind,
  majorOf,
  MAX_MESSAGE_BYTES,
  readHeader,
} from './batch-format.ts';

/** Edges that are remembered: more than a cluster has, those that have gone included. */
const MAX_SENDERS = 1_024;
/** Of messages that have come in parts, and not as a whole yet. */
const MAX_PARTIAL_BYTES = 64 * 1024 * 1024;
/** How long the next part may take, in calls of `expire`. */
const MAX_PARTIAL_AGE = 10;

/** Who is told of what has come. */
export interface IncomingListener {
  message(subject: string, from: string, bytes: Uint8Array): void;
  gap(from: string | undefined, why: GapCause): void;
  /** A batch in a version of the format that this edge cannot read. */
  refused(major: number): void;
}

/** A message of which parts have come. */
interface Partial {
  readonly bytes: Buffer;
  filled: number;
  /** Calls of `expire` since the latest part. */
  age: number;
}

/** Another edge, for as long as it is a member. */
interface Sender {
  readonly edgeId: string;
  losses: number;
  /** By subject, the number of its latest batch. */
  readonly latest: Map<string, number>;
  readonly partials: Map<string, Partial>;
}

/** Takes batches apart, puts long messages together, and sees what is missing. */
export class Incoming {
  readonly #self: string;
  readonly #listener: IncomingListener;
  readonly #senders = new LRUCache<string, Sender>({
    max: MAX_SENDERS,
    dispose: (sender) => this.#forgetPartials(sender),
  });
  #partialBytes = 0;

  /** `self`: the sender that this edge itself is to others, as `BatchHeader` has it. */
  constructor(self: string, listener: IncomingListener) {
    this.#self = self;
    this.#listener = listener;
  }

  /** A batch, as the engine lends it for the call. */
  receive(subject: string, batch: Buffer): void {
    const major = majorOf(batch);
    if (major !== undefined && major !== FORMAT_MAJOR) return this.#listener.refused(major);
    const header = readHeader(batch);
    if (header === undefined) return this.#listener.gap(undefined, 'unreadable');
    if (header.sender === this.#self) return;
    const sender = this.#senderOf(header, subject === LOSSES_SUBJECT);
    if (this.#isInPlace(sender, subject, header)) this.#takeApart(sender, subject, batch, header);
  }

  /** To be called about once a second: messages that do not go on are given up. */
  expire(): void {
    for (const sender of this.#senders.values()) {
      for (const partial of sender.partials.values()) {
        if (++partial.age > MAX_PARTIAL_AGE) this.#gap(sender, 'unreadable');
      }
    }
  }

  /** This edge was cut off: what is missing of what others have said until now is no news. */
  reset(): void {
    for (const sender of this.#senders.values()) {
      sender.latest.clear();
      this.#forgetPartials(sender);
    }
  }

  /** Nothing of this subject is to come any more. */
  forget(subject: string): void {
    for (const sender of this.#senders.values()) {
      sender.latest.delete(subject);
      this.#forgetPartial(sender, subject);
    }
  }

  /** `tellsLosses`: it says that something was lost now, rather than at any time before. */
  #senderOf({ sender: key, losses }: BatchHeader, tellsLosses: boolean): Sender {
    const known = this.#senders.get(key);
    if (known !== undefined) return known;
    const edgeId = edgeIdOf(key);
    const before = tellsLosses ? losses - 1 : losses;
    const sender = { edgeId, losses: before, latest: new Map(), partials: new Map() };
    for (const [otherKey, other] of this.#senders) {
      if (other.edgeId !== edgeId) continue;
      this.#senders.delete(otherKey);
      this.#listener.gap(edgeId, 'restarted');
    }
    this.#senders.set(key, sender);
    return sender;
  }

  /**
   * Reports what is missing before the batch. False for one that has come before, or was said before a
   * loss that is known: an engine that was frozen may deliver what it had, behind what was said since.
   */
  #isInPlace(sender: Sender, subject: string, header: BatchHeader): boolean {
    const { number, previous, losses } = header;
    if (losses < sender.losses) return false;
    if (losses > sender.losses) {
      sender.losses = losses;
      sender.latest.clear();
      this.#gap(sender, 'sender');
    }
    const latest = sender.latest.get(subject);
    if (latest !== undefined && number <= latest) return false;
    sender.latest.set(subject, number);
    if (latest !== undefined && previous !== 0 && previous !== latest) this.#gap(sender, 'missing');
    return true;
  }

  #takeApart(sender: Sender, subject: string, batch: Buffer, header: BatchHeader): void {
    let at = header.end;
    while (at < batch.length) {
      const start = at + FRAME_HEAD_BYTES;
      const end = start <= batch.length ? start + batch.readUInt32BE(at + 1) : Infinity;
      if (end > batch.length) return this.#gap(sender, 'unreadable');
      const bytes = batch.subarray(start, end);
      const kind = batch[at];
      if (kind === FrameKind.whole) this.#listener.message(subject, sender.edgeId, bytes);
      else if (kind === FrameKind.first) this.#begin(sender, subject, bytes);
      else if (kind === FrameKind.more) this.#continue(sender, subject, bytes);
      at = end;
    }
  }

  #begin(sender: Sender, subject: string, bytes: Buffer): void {
    this.#forgetPartial(sender, subject);
    const total = bytes.length < 4 ? 0 : bytes.readUInt32BE();
    const hasRoom = this.#partialBytes + total <= MAX_PARTIAL_BYTES;
    if (total === 0 || total > MAX_MESSAGE_BYTES || !hasRoom) {
      return this.#gap(sender, 'unreadable');
    }
    this.#partialBytes += total;
    sender.partials.set(subject, { bytes: Buffer.allocUnsafe(total), filled: 0, age: 0 });
    this.#continue(sender, subject, bytes.subarray(4));
  }

  #continue(sender: Sender, subject: string, bytes: Buffer): void {
    const partial = sender.partials.get(subject);
    // The end of a message whose beginning was said before this edge listened, or is lost.
    if (partial === undefined) return;
    if (partial.filled + bytes.length > partial.bytes.length) {
      return this.#gap(sender, 'unreadable');
    }
    partial.bytes.set(bytes, partial.filled);
    partial.filled += bytes.length;
    partial.age = 0;
    if (partial.filled < partial.bytes.length) return;
    this.#forgetPartial(sender, subject);
    this.#listener.message(subject, sender.edgeId, partial.bytes);
  }

  #gap(sender: Sender, why: GapCause): void {
    this.#forgetPartials(sender);
    this.#listener.gap(sender.edgeId, why);
  }

  #forgetPartial(sender: Sender, subject: string): void {
    const partial = sender.partials.get(subject);
    if (partial === undefined) return;
    sender.partials.delete(subject);
    this.#partialBytes -= partial.bytes.length;
  }

  #forgetPartials(sender: Sender): void {
    for (const subject of sender.partials.keys()) this.#forgetPartial(sender, subject);
  }
}
