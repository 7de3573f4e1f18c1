import { LRUCache } from 'lru-cache';
import { edgeSubject } from '../ports/bus.ts';
import type { Time } from '../ports/time.ts';
import {
  Batch,
  FRAME_HEAD_BYTES,
  FULL_BATCH_BYTES,
  MAX_BATCH_BYTES,
  MAX_MESSAGE_BYTES,
} from './batch-format.ts';
import type { BusStats, DropReason } from './bus-stats.ts';

/** What may wait for the engine, in bytes and milliseconds: through an outage, or because it is slow. */
export const QUEUE_BYTES = 16 * 1024 * 1024;
export const QUEUE_MS = 5_000;
/** What the engine may have been handed and not have taken. */
const UNDERWAY_BYTES = 16 * 1024 * 1024;
/** What is said in a turn is handed over before its end when it is more than this. */
const TURN_BYTES = 1024 * 1024;
/**
 * An engine that has so many bytes underway and has taken nothing for so many seconds is not waited for: it is
 * about to be cut off, or does not say what it takes. Of less than 1 MiB it may not be asked.
 */
const STUCK_BYTES = 2 * 1024 * 1024;
const STUCK_TICKS = 3;
/** Subjects of which the number of the latest batch is known. */
const MAX_SUBJECTS = 50_000;
/** Where an edge says that it has lost something, by an empty batch. */
export const LOSSES_SUBJECT = 'bus.losses';

/** Where batches go. */
export interface BatchWriter {
  /** `to`: the one edge that it is for. */
  write(subject: string, batch: Buffer, to: string | undefined): void;
  /** Bytes that were written and have not been taken. */
  underway(): number;
}

/**
 * Collects what an edge says in a turn of the event loop, and hands it to the engine at the turn's end.
 * Messages share a batch where that changes the order for nobody: those for one subject that follow
 * each other, and those for one edge as long as nothing but such messages is said. While the engine
 * is away or slow batches wait here, within a bound; the oldest are dropped first.
 */
export class Batching {
  readonly #header: Buffer;
  readonly #stats: BusStats;
  readonly #writer: BatchWriter;
  readonly #time: Pick<Time, 'now' | 'endOfTurn'>;
  /** Of this turn, in the order in which they go out. */
  #turn: Batch[] = [];
  #turnBytes = 0;
  #latest: Batch | undefined;
  /** Bytes of the first batch of the turn before. */
  #usual = 0;
  /** By edge, the batches that may take more, while the latest is for one edge. */
  readonly #directed = new Map<string, Batch>();
  readonly #queue: Batch[] = [];
  #isUp = false;
  /** How often `expire` found it with much underway since it took something last. */
  #idleTicks = 0;
  #number = 0;
  readonly #numbers = new LRUCache<string, number>({ max: MAX_SUBJECTS });
  #losses = 0;
  #lossesTold = 0;
  readonly #endTurn = (): void => this.flush();

  /** `header`: as `headerOf` makes it. */
  constructor(
    header: Buffer,
    stats: BusStats,
    writer: BatchWriter,
    time: Pick<Time, 'now' | 'endOfTurn'>,
  ) {
    this.#header = header;
    this.#stats = stats;
    this.#writer = writer;
    this.#time = time;
  }

  publish(subject: string, bytes: Uint8Array, rest?: Uint8Array): void {
    const latest = this.#latest;
    const isSame = latest !== undefined && latest.to === undefined && latest.subject === subject;
    this.#add(isSame ? latest : undefined, subject, undefined, bytes, rest);
  }

  send(edgeId: string, bytes: Uint8Array, rest?: Uint8Array): void {
    const latest = this.#latest?.to === edgeId ? this.#latest : this.#directed.get(edgeId);
    this.#add(latest, latest?.subject ?? edgeSubject(edgeId), edgeId, bytes, rest);
  }

  /** As `Bus` has it. */
  get waiting(): number {
    if (!this.#isUp || this.#idleTicks >= STUCK_TICKS) return 0;
    return this.#turnBytes + this.#stats.queueBytes + this.#writer.underway();
  }

  /** Whether a message is longer than any may be; it counts as dropped, and is no loss, since it is not said. */
  refuses(bytes: number): boolean {
    const isTooLong = bytes > MAX_MESSAGE_BYTES;
    if (isTooLong) this.#stats.dropped.too_large++;
    return isTooLong;
  }

  /** The engine takes batches. `lost`: what it was handed before may be lost. */
  start(lost: boolean): void {
    this.#isUp = true;
    if (lost) this.#losses++;
    this.expire();
  }

  /** The engine takes nothing any more. */
  pause(): void {
    this.#isUp = false;
  }

  /** The engine has taken something, and may have room for what waits. */
  taken(): void {
    this.#idleTicks = 0;
    this.pump();
  }

  /** To be called about once a second: what has waited for too long is dropped. */
  expire(): void {
    this.#idleTicks = this.#writer.underway() < STUCK_BYTES ? 0 : this.#idleTicks + 1;
    const oldest = this.#time.now() - QUEUE_MS;
    const first = this.#queue.findIndex(({ closedAt }) => closedAt >= oldest);
    this.#dropFirst(first < 0 ? this.#queue.length : first, 'stale');
    this.pump();
  }

  /** Ends the turn: what was said in it goes out, or waits. */
  flush(): void {
    if (this.#turn.length === 0) return;
    const now = this.#time.now();
    this.#usual = this.#turn[0]!.length;
    for (const batch of this.#turn) {
      batch.close(++this.#number, this.#numbers.get(batch.subject) ?? 0, now);
      this.#numbers.set(batch.subject, this.#number);
      if (this.#isClear()) this.#write(batch);
      else this.#wait(batch);
    }
    this.#turn = [];
    this.#turnBytes = 0;
    this.#latest = undefined;
    this.#directed.clear();
    this.pump();
    this.#dropOldest();
  }

  /** Hands over what waits, as far as the engine has room. */
  pump(): void {
    if (!this.#isUp) return;
    if (this.#losses !== this.#lossesTold) this.#tellLosses();
    let written = 0;
    for (const batch of this.#queue) {
      if (this.#writer.underway() >= UNDERWAY_BYTES) break;
      this.#write(batch);
      written++;
    }
    this.#leave(written);
  }

  /** `batch`: the one that has room for it, if it has as much. */
  #add(
    batch: Batch | undefined,
    subject: string,
    to: string | undefined,
    bytes: Uint8Array,
    rest?: Uint8Array,
  ): void {
    const length = bytes.length + (rest === undefined ? 0 : rest.length);
    if (length > MAX_MESSAGE_BYTES) return this.#drop('too_large', 1);
    this.#stats.published.messages++;
    this.#stats.published.bytes += length;
    if (length > MAX_BATCH_BYTES - this.#header.length - FRAME_HEAD_BYTES) {
      const whole = rest === undefined ? bytes : Buffer.concat([bytes, rest]);
      for (let at = 0; at < length;) at = this.#begin(subject, to, 0).addPart(whole, at);
    } else {
      const hasRoom = batch !== undefined && batch.lengthWith(length) <= FULL_BATCH_BYTES;
      this.#latest = hasRoom ? batch : this.#begin(subject, to, length, batch !== undefined);
      this.#latest.addWhole(bytes, rest);
    }
    this.#turnBytes += length;
    if (this.#turnBytes > TURN_BYTES) this.flush();
  }

  /** `isNext`: it goes on where another one has no room, so that it may become as long. */
  #begin(subject: string, to: string | undefined, room: number, isNext = false): Batch {
    // The first of a turn begins as the one before it ended: busy turns are much alike, and to make room on
    // the way is to copy what is there. Not each of them: many small ones would hold far more than is counted.
    const isFirst = this.#turn.length === 0;
    const length = isFirst ? this.#usual + (this.#usual >> 2) : isNext ? FULL_BATCH_BYTES : 0;
    const batch = new Batch(subject, to, this.#header, room, Math.min(length, FULL_BATCH_BYTES));
    if (to === undefined || this.#latest?.to === undefined) this.#directed.clear();
    if (to !== undefined) this.#directed.set(to, batch);
    if (this.#turn.push(batch) === 1) this.#time.endOfTurn(this.#endTurn);
    return (this.#latest = batch);
  }

  /** Nothing is before what is said now. */
  #isClear(): boolean {
    const isAlone = this.#queue.length === 0 && this.#losses === this.#lossesTold;
    return this.#isUp && isAlone && this.#writer.underway() < UNDERWAY_BYTES;
  }

  #wait(batch: Batch): void {
    this.#queue.push(batch);
    this.#stats.queueBytes += batch.length;
  }

  #write(batch: Batch): void {
    this.#stats.published.batches++;
    this.#writer.write(batch.subject, batch.finish(this.#losses), batch.to);
  }

  /** Those who have heard nothing of this edge yet, or hear nothing else, are to know of it too. */
  #tellLosses(): void {
    this.#lossesTold = this.#losses;
    const batch = new Batch(LOSSES_SUBJECT, undefined, this.#header, 0);
    batch.close(++this.#number, 0, 0);
    this.#write(batch);
  }

  #dropOldest(): void {
    let over = this.#stats.queueBytes - QUEUE_BYTES;
    let count = 0;
    while (over > 0) over -= this.#queue[count++]!.length;
    this.#dropFirst(count, 'full');
  }

  #dropFirst(count: number, reason: DropReason): void {
    if (count === 0) return;
    let messages = 0;
    for (const batch of this.#queue.slice(0, count)) messages += batch.messages;
    this.#leave(count);
    this.#drop(reason, messages);
  }

  #drop(reason: DropReason, messages: number): void {
    this.#stats.dropped[reason] += messages;
    this.#losses++;
  }

  /** So many of the first are in the queue no more. */
  #leave(count: number): void {
    if (count === 0) return;
    for (const batch of this.#queue.splice(0, count)) this.#stats.queueBytes -= batch.length;
  }
}
