import type { Swarm } from './swarm.ts';

export interface HearOptions {
  /** How many, over all clients. */
  messages: number;
}

/**
 * Waits until so many messages have come that somebody else has sent: from the last workload on, so
 * that they may be sent before this is called.
 */
export async function hear(swarm: Swarm, { messages }: HearOptions): Promise<void> {
  let missing = messages;
  let finish: () => void = () => {};
  const heard = (count: number): void => {
    missing -= count;
    if (missing < 0) throw new Error('more was heard than was sent');
    if (missing === 0) finish();
  };
  await swarm.run(
    (done) => {
      finish = done;
      heard(swarm.takeUnasked());
    },
    () => heard(1),
  );
}
