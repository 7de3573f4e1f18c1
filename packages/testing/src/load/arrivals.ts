import type { Swarm } from './swarm.ts';

export interface ArrivalsOptions {
  /** How many are awaited, over all clients. */
  messages: number;
}

/** Milliseconds by the machine's clock that never jumps, which is the same for all of its processes. */
export function preciseNow(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

/** Waits until so many messages have come since `noteArrivals`, and answers when each has. */
export async function arrivals(swarm: Swarm, { messages }: ArrivalsOptions): Promise<number[]> {
  const times = swarm.takeArrivals();
  let finish: () => void = () => {};
  const look = (): void => {
    if (times.length > messages) throw new Error('more has come than was sent');
    if (times.length === messages) finish();
  };
  await swarm.run(
    (done) => {
      finish = done;
      look();
    },
    () => {
      times.push(preciseNow());
      look();
    },
  );
  return times;
}
