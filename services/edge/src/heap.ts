import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import type { EndTimer, Time } from './ports/time.ts';

const MIB = 1024 * 1024;

/** A burst that begins while V8 is being helped pays for it until the next look. */
const LOOK_MS = 100;
/** Of the time between two looks, an edge that is quiet has worked no more than this part. */
const QUIET = 0.3;
/** And one that is busy more than this: collecting what is left takes some of it, too. */
const BUSY = 0.7;
/** A peak is over when the edge has been quiet for three seconds. */
const QUIET_LOOKS = 30;
/** A peak has left something behind where the process is larger than before it by more than this. */
const LEFT_BYTES = 16 * MIB;
/** And nothing worth looking for any more where it is larger by no more than this. */
const BACK_BYTES = 8 * MIB;
/** V8 asks itself every eight seconds whether to give memory back, and is helped for twenty at most. */
const GIVE_BACK_LOOKS = 200;

/**
 * Next to nothing that a message allocates survives it, so a small young generation does: grown to its
 * usual size it takes tens of megabytes of memory, and is no faster.
 */
const SMALL_YOUNG_GENERATION = '--semi-space-growth-factor=1';
/** And collecting it takes a millisecond: threads that share so little work cost more than they save. */
const ONE_COLLECTOR = '--no-parallel-scavenge';
/**
 * V8 collects what a peak has left, and gives it back, some seconds later, but only where next to nothing is
 * allocated meanwhile: a few clients that talk keep it from that for 100 s. With this they do not. It lets
 * the heap grow by little, too, which costs an edge that is busy a tenth more.
 */
const GIVE_BACK = '--optimize-for-size';
const KEEP = '--no-optimize-for-size';

/** All that an edge sets of V8. */
export const HEAP_FLAGS = [SMALL_YOUNG_GENERATION, ONE_COLLECTOR, GIVE_BACK, KEEP] as const;

/** What this process and its V8 are asked. */
export interface Process {
  /** The part of the time since it was last asked in which the event loop had something to do. */
  readonly load: () => number;
  readonly residentBytes: () => number;
  readonly setFlag: (flag: string) => void;
}

/**
 * Has the heap of this process be small: at any time, as far as that costs nothing, and after a peak, once
 * it is over. To be called before there is much on the heap.
 */
export function keepHeapSmall(time: Pick<Time, 'every'>, self: Process = thisProcess()): EndTimer {
  self.setFlag(SMALL_YOUNG_GENERATION);
  self.setFlag(ONE_COLLECTOR);
  const peaks = new Peaks(self);
  return time.every(LOOK_MS, () => peaks.look());
}

/** Has V8 give back what peaks have left behind, each time for a while. */
class Peaks {
  readonly #self: Process;
  /** What the process held when it was last as small as it gets. */
  #settled = Infinity;
  #quietLooks = 0;
  #isOn = false;
  /** In which V8 is still to be helped with what this peak has left; work that comes between puts them off. */
  #looksLeft = 0;
  /** What the process held when that began. */
  #peak = 0;

  constructor(self: Process) {
    this.#self = self;
  }

  look(): void {
    const load = this.#self.load();
    this.#quietLooks = load <= QUIET ? this.#quietLooks + 1 : 0;
    const bytes = this.#self.residentBytes();
    this.#settled = Math.min(this.#settled, bytes);
    if (bytes <= this.#settled + BACK_BYTES) this.#isBack();
    else if (this.#isOn) this.#goOn(bytes, load > BUSY);
    else if (bytes > this.#settled + LEFT_BYTES && this.#quietLooks >= QUIET_LOOKS) {
      this.#begin(bytes);
    }
  }

  #begin(bytes: number): void {
    const isNew = this.#looksLeft === 0 || bytes > this.#peak + LEFT_BYTES;
    if (isNew) {
      this.#looksLeft = GIVE_BACK_LOOKS;
      this.#peak = bytes;
    }
    this.#turn(true);
  }

  #goOn(bytes: number, isBusy: boolean): void {
    this.#looksLeft--;
    const isOver = this.#looksLeft === 0;
    // What is held after all that time is in use.
    if (isOver) this.#settled = bytes;
    if (isOver || isBusy) this.#turn(false);
  }

  #isBack(): void {
    this.#looksLeft = 0;
    this.#turn(false);
  }

  #turn(isOn: boolean): void {
    if (isOn !== this.#isOn) this.#self.setFlag(isOn ? GIVE_BACK : KEEP);
    this.#isOn = isOn;
  }
}

function thisProcess(): Process {
  let last = performance.eventLoopUtilization();
  return {
    load() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return utilization;
    },
    residentBytes: () => process.memoryUsage.rss(),
    setFlag: setFlagsFromString,
  };
}
