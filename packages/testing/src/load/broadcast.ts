import { BROADCAST_FRAME } from './hub-messages.ts';
import type { Swarm } from './swarm.ts';

export interface BroadcastOptions {
  seconds: number;
  /** How many broadcasts are called for together; 1 when not given. */
  burst?: number;
}

export interface BroadcastResult {
  deliveries: number;
  /** From the first call to the last delivery. */
  seconds: number;
}

/** One client calls `broadcast` again and again, each time after everybody has had the last ones. */
export async function broadcasts(
  swarm: Swarm,
  { seconds, burst = 1 }: BroadcastOptions,
): Promise<BroadcastResult> {
  const { clients } = swarm;
  const startedAt = performance.now();
  const until = startedAt + seconds * 1000;
  let deliveries = 0;
  let missing = 0;
  let finish: () => void = () => {};
  const next = (): void => {
    missing = clients.length * burst;
    for (let n = 0; n < burst; n++) clients[0]!.write(BROADCAST_FRAME);
  };
  const delivered = (): void => {
    deliveries += 1;
    missing -= 1;
    if (missing > 0) return;
    if (missing < 0) throw new Error('more was delivered than was broadcast');
    if (performance.now() < until) next();
    else finish();
  };
  await swarm.run((done) => {
    finish = done;
    next();
  }, delivered);
  return { deliveries, seconds: (performance.now() - startedAt) / 1000 };
}
