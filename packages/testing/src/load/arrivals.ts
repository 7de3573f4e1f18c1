import type { Swarm } from './swarm.ts';

export interface ArrivalsOptions {
  /** How many are awaited, over all clients. */
  messages: number;
}

/** Milliseconds since 1970, to a small part of one, so that processes of one machine can be compared. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
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
