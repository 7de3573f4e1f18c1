import { setTimeout as pass } from 'node:timers/promises';

/** What is attacked: an edge, from within a hub that the attacker has a right to. */
export interface Target {
  /** Of the edge's public port. */
  readonly url: string;
  /** The attacker's hub; the clients that are watched are of another. */
  readonly hub: string;
}

/** Attacks until the signal. What the edge refuses or cuts is tried again. */
export type Strike = (signal: AbortSignal) => Promise<void>;

/** One row of the table. */
export interface Attack {
  /** For `--only`. */
  readonly name: string;
  /** What the attacker does. */
  readonly what: string;
  /** Whether an app server on the SDK serves the attacker's hub; one that serves itself needs none. */
  readonly served: boolean;
  /** The edge's open files, where the attack is about them. */
  readonly openFiles?: number;
  /** Does, as any peer might, what the attack begins with. It is not measured. */
  prepare(target: Target): Promise<Strike>;
}

/** So many at a time, each one again and again. */
export async function keepUp(
  count: number,
  signal: AbortSignal,
  one: (index: number) => Promise<void>,
): Promise<void> {
  const again = async (index: number): Promise<void> => {
    while (!signal.aborted) await one(index);
  };
  await Promise.all(Array.from({ length: count }, (_, index) => again(index)));
}

/**
 * Who is cut comes again after a while, as clients do: to come again at once, hundreds of times a second,
 * would be a flood of connects, whatever else is sent.
 */
export async function comeAgain(signal: AbortSignal): Promise<void> {
  await pass(500 + Math.random() * 1_000, undefined, { signal }).catch(() => {});
}

/** One every so many milliseconds, whether those before have ended or not. */
export async function every(
  ms: number,
  signal: AbortSignal,
  one: (index: number) => Promise<void>,
): Promise<void> {
  const running: Promise<void>[] = [];
  const start = performance.now();
  for (let index = 0; !signal.aborted; index++) {
    running.push(one(index));
    const due = start + (index + 1) * ms;
    if (due > performance.now()) await pass(due - performance.now());
  }
  await Promise.all(running);
}

/** All of them, so many at a time. */
export async function each<T>(
  count: number,
  atATime: number,
  make: (index: number) => Promise<T>,
): Promise<T[]> {
  const made: T[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      made[index] = await make(index);
    }
  };
  await Promise.all(Array.from({ length: atATime }, work));
  return made;
}
