import { alternate, type Contenders, withSides } from './compare.ts';
import { costOf, costRows } from './cost.ts';
import type { Row } from './table.ts';
import { newTokens } from './tokens.ts';

export interface BroadcastOptions {
  rounds: number;
  /** Of each round. */
  seconds: number;
  /** A group of rows for each number of clients. */
  clients: readonly number[];
  /** So many broadcasts together, in a group of rows of its own beside one at a time. */
  burst: number;
}

const CONCURRENCY = 64;
const CONNECT_TIMEOUT_MS = 60_000;
const WARM_UP_SECONDS = 1;
/** On top of a run's own time, for the last broadcast and a busy machine. */
const GRACE_MS = 15_000;

/** Broadcasts to all clients: one after the other, which is how they come when there is little to do, and in bursts. */
export async function measureBroadcast(
  contenders: Contenders,
  options: BroadcastOptions,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const clients of options.clients) {
    for (const burst of [1, options.burst]) {
      rows.push(...(await broadcastTo(clients, contenders, { ...options, burst })));
    }
  }
  return rows;
}

function broadcastTo(
  clients: number,
  contenders: Contenders,
  { rounds, seconds, burst }: BroadcastOptions,
): Promise<Row[]> {
  const many = burst === 1 ? 'broadcast' : `${burst} broadcasts together`;
  const name = `${many} to ${clients} clients`;
  return withSides(contenders, 'publish', async (sides) => {
    for (const { load } of [sides.edge, sides.bare]) {
      const newcomers = { tokens: newTokens(clients), concurrency: CONCURRENCY };
      await load.do('connect', newcomers, CONNECT_TIMEOUT_MS);
      await load.do('broadcasts', { seconds: WARM_UP_SECONDS, burst }, GRACE_MS);
    }
    const figures = await alternate(rounds, contenders.names, name, async (side) => {
      const run = () =>
        sides[side].load.do('broadcasts', { seconds, burst }, seconds * 1000 + GRACE_MS);
      const { result, cost } = await costOf(sides[side], run, ({ deliveries }) => deliveries);
      return { ...cost, rate: result.deliveries / result.seconds };
    });
    return [
      { ...figures.rate, name, unit: 'deliveries per second', digits: 0 },
      ...costRows(figures, 'delivery', 1.4),
    ];
  });
}
