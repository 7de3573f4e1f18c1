import type { Budget } from '@trunkline/protocol';
import { discard } from '@trunkline/protocol';
import type { PoolName, Pools } from '../pools.ts';
import type { EndTimer, Time } from '../ports/time.ts';

/**
 * What a turn of the event loop may spend on bytes that take long to work off, as they come, in
 * milliseconds. An echo of somebody else takes about four turns.
 */
const TURN_MS = 2;
/** What it spends on what is left of them then, since everybody else waits for several turns. */
const REST_MS = 1.5;
/** What one of several peers gets of that before it is the next one's. */
const SLICE_MS = 0.5;
/** Who has much that waits has it in blocks of this size, which the system takes back when they are done, but for one. */
const BLOCK_BYTES = 256 * 1024;
/** A block over this many bytes is worth keeping, up to so many, for what comes next. */
const LARGE_BYTES = 64 * 1024;
const SPARE_BYTES = 1024 * 1024;

/** How soon those who all have to wait for somebody else are asked again. */
const AGAIN_MS = 5;

/** Whose bytes are worked off: a session. */
export interface Worker {
  /**
   * Works off a little at the start of `bytes`, less than a millisecond, and answers how many; 0 where it
   * has to wait for somebody else.
   */
  work(bytes: Buffer): number;
}

/** What `Turns` does to peers of one kind, beside working off their bytes. */
export interface TurnRules<W> {
  /** Ends a session that has sent more than may wait; its end calls `drop`. */
  readonly giveUp: (worker: W) => void;
  /** Told that what has been worked off now had come `ms` milliseconds ago. */
  readonly worked?: (worker: W, ms: number) => void;
  /** Told before bytes are worked off, of one worker or of several. */
  readonly begin?: () => void;
  /** Told now and then meanwhile, so that what this causes beside the work is done in its time. */
  readonly ease?: () => void;
  /** Told when that is done for this turn, while the bytes are there still. */
  readonly end?: () => void;
}

/**
 * The time that work for peers of all kinds has cost. What it spends beyond `TURN_MS` is owed, and paid
 * back by time in which there is no such work.
 */
export class TurnClock {
  readonly #time: Pick<Time, 'now' | 'endOfTurn' | 'after'>;
  #owed = 0;
  #last = 0;

  constructor(time: Pick<Time, 'now' | 'endOfTurn' | 'after'>) {
    this.#time = time;
  }

  now(): number {
    return this.#time.now();
  }

  /** Runs `run` when a turn has room again for what is left of this one's work. */
  nextTurn(run: () => void): void {
    this.#time.endOfTurn(run);
  }

  after(ms: number, run: () => void): EndTimer {
    return this.#time.after(ms, run);
  }

  /** Until when work that begins at `started` may go on. */
  until(started: number): number {
    this.#owed = Math.max(0, this.#owed - (started - this.#last));
    return started + TURN_MS - this.#owed;
  }

  spent(started: number, ended: number): void {
    this.#owed += ended - started;
    this.#last = ended;
  }
}

/** A copy of what has come, because the listener has only lent the bytes; more fits behind it. */
interface Block {
  readonly bytes: Buffer;
  filled: number;
}

interface Backlog {
  readonly blocks: Block[];
  /** Bytes of the first block that have been worked off. */
  done: number;
  /** When the first block came. */
  since: number;
  /** Called once all blocks have been worked off; set when the peer has gone. */
  ended: (() => void) | undefined;
}

/**
 * Who works when: a turn of the event loop serves everybody, so what one peer has sent is worked off
 * in slices. A peer whose bytes take longer than there is time for leaves the rest here, and gets on
 * in later turns, one peer after the other. What waits here counts against who has sent it.
 */
export class Turns<W extends Worker> {
  readonly #clock: TurnClock;
  readonly #bytes: Budget<W>;
  readonly #rules: TurnRules<W>;
  /** By peer, in the order in which they go on. */
  readonly #backlogs = new Map<W, Backlog>();
  /** What has been worked off in this turn is used until its end, and memory must stay until then. */
  #isWorking = false;
  /** Blocks that nobody needs after that. */
  readonly #spent: Block[] = [];
  /** The largest of them, for who comes next: to be given memory costs a process more than to fill it. */
  #spare: Buffer | undefined;
  /** A later turn has been asked for: one is enough, however many come and go meanwhile. */
  #isAsked = false;
  /** How many, one after the other, had to wait for somebody else. */
  #held = 0;
  /** All that is left does, and is looked at again soon. */
  #endPause: EndTimer | undefined;
  readonly #goOn = (): void => this.#workOff();

  constructor(clock: TurnClock, pool: PoolName, pools: Pools, rules: TurnRules<W>) {
    this.#clock = clock;
    this.#bytes = pools.open(pool, rules.giveUp);
    this.#rules = rules;
  }

  /** Bytes of a peer whose messages cost little: only what is left after a first slice is measured. */
  received(worker: W, bytes: Buffer): void {
    if (this.#queues(worker, bytes)) return;
    const done = worker.work(bytes);
    if (done < bytes.length) this.#workNow(worker, bytes.subarray(done));
  }

  /** Bytes of a peer each of whose messages can cost much: all of its work is measured. */
  receivedMeasured(worker: W, bytes: Buffer): void {
    if (!this.#queues(worker, bytes)) this.#workNow(worker, bytes);
  }

  /** The peer has gone: `then` is called when all it has sent has been worked off, perhaps at once. */
  ended(worker: W, then: () => void): void {
    const backlog = this.#backlogs.get(worker);
    if (backlog === undefined) then();
    else backlog.ended = then;
  }

  /** What is left of the worker's bytes is of no use any more. */
  drop(worker: W): void {
    const backlog = this.#backlogs.get(worker);
    if (backlog === undefined) return;
    this.#backlogs.delete(worker);
    this.#bytes.giveAll(worker);
    this.#spent.push(...backlog.blocks);
    if (!this.#isWorking) this.#discardSpent();
  }

  #queues(worker: W, bytes: Buffer): boolean {
    if (this.#backlogs.size === 0) return false;
    const backlog = this.#backlogs.get(worker);
    if (backlog === undefined) return false;
    if (this.#bytes.take(worker, bytes.length)) this.#append(backlog.blocks, bytes);
    else this.#rules.giveUp(worker);
    return true;
  }

  #workNow(worker: W, bytes: Buffer): void {
    const started = this.#clock.now();
    const until = this.#clock.until(started);
    let done = 0;
    let now = started;
    this.#begin();
    let worked = -1;
    while (done < bytes.length && now < until && worked !== 0) {
      worked = worker.work(bytes.subarray(done));
      done += worked;
      this.#rules.ease?.();
      now = this.#clock.now();
    }
    this.#end();
    if (done > 0) this.#rules.worked?.(worker, now - started);
    this.#clock.spent(started, this.#clock.now());
    if (done < bytes.length) this.#wait(worker, bytes.subarray(done), started);
  }

  #wait(worker: W, rest: Buffer, since: number): void {
    if (!this.#bytes.take(worker, rest.length)) return this.#rules.giveUp(worker);
    this.#askForTurn();
    const blocks: Block[] = [];
    this.#append(blocks, rest);
    this.#backlogs.set(worker, { blocks, done: 0, since, ended: undefined });
  }

  /** A slice for each in turn, as long as this turn of the event loop has time. */
  #workOff(): void {
    this.#isAsked = false;
    const until = this.#clock.now() + REST_MS;
    this.#begin();
    for (const [worker, backlog] of this.#backlogs) {
      // Those who are not through yet go to the end of the list, and come again.
      this.#backlogs.delete(worker);
      this.#backlogs.set(worker, backlog);
      this.#held = this.#slice(worker, backlog) ? 0 : this.#held + 1;
      if (this.#held >= this.#backlogs.size || this.#clock.now() >= until) break;
    }
    this.#end();
    if (this.#backlogs.size === 0) return;
    if (this.#held >= this.#backlogs.size) this.#pause();
    else this.#askForTurn();
  }

  #askForTurn(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#endPause?.();
    this.#endPause = undefined;
    this.#clock.nextTurn(this.#goOn);
  }

  #pause(): void {
    this.#held = 0;
    this.#endPause = this.#clock.after(AGAIN_MS, () => {
      this.#endPause = undefined;
      this.#workOff();
    });
  }

  #begin(): void {
    this.#isWorking = true;
    this.#rules.begin?.();
  }

  #end(): void {
    this.#rules.end?.();
    this.#isWorking = false;
    this.#discardSpent();
  }

  #discardSpent(): void {
    for (const { bytes } of this.#spent) {
      const isLarger = bytes.length > (this.#spare?.length ?? LARGE_BYTES);
      if (!isLarger || bytes.length > SPARE_BYTES) {
        discard(bytes);
        continue;
      }
      if (this.#spare !== undefined) discard(this.#spare);
      this.#spare = bytes;
    }
    this.#spent.length = 0;
  }

  /** Whether anything has been worked off. */
  #slice(worker: W, backlog: Backlog): boolean {
    let now = this.#clock.now();
    const until = now + SLICE_MS;
    const { blocks } = backlog;
    let hasWorked = false;
    while (blocks.length > 0 && now < until) {
      const [block] = blocks as [Block];
      const done = worker.work(block.bytes.subarray(backlog.done, block.filled));
      if (done === 0) break;
      hasWorked = true;
      this.#rules.ease?.();
      now = this.#clock.now();
      // Whoever has dropped it has taken its blocks.
      if (!this.#backlogs.has(worker)) break;
      this.#bytes.give(worker, done);
      backlog.done += done;
      if (backlog.done < block.filled) continue;
      this.#spent.push(blocks.shift()!);
      backlog.done = 0;
    }
    if (!hasWorked) return false;
    this.#rules.worked?.(worker, now - backlog.since);
    backlog.since = now;
    if (blocks.length === 0 && this.#backlogs.delete(worker)) backlog.ended?.();
    return true;
  }

  /**
   * Blocks double, so that they take no more than what waits, and as much again: that is what counts. Only
   * the spare one may be larger.
   */
  #append(blocks: Block[], bytes: Buffer): void {
    const last = blocks.at(-1);
    if (last === undefined || last.bytes.length - last.filled < bytes.length) {
      const room = Math.min(BLOCK_BYTES, 2 * (last?.bytes.length ?? 0));
      const block = this.#block(Math.max(room, bytes.length));
      block.set(bytes);
      blocks.push({ bytes: block, filled: bytes.length });
    } else {
      last.bytes.set(bytes, last.filled);
      last.filled += bytes.length;
    }
  }

  #block(bytes: number): Buffer {
    const spare = this.#spare;
    const isOfUse = spare !== undefined && bytes > LARGE_BYTES && bytes <= spare.length;
    if (!isOfUse) return Buffer.allocUnsafeSlow(bytes);
    this.#spare = undefined;
    return spare;
  }
}
