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
}

const CONCURRENCY = 64;
const CONNECT_TIMEOUT_MS = 60_000;
const WARM_UP_SECONDS = 1;
/** On top of a run's own time, for the last broadcast and a busy machine. */
const GRACE_MS = 15_000;

/** One broadcast after the other to all clients. */
export async function measureBroadcast(
  contenders: Contenders,
  options: BroadcastOptions,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const clients of options.clients) {
    rows.push(...(await broadcastTo(clients, contenders, options)));
  }
  return rows;
}

function broadcastTo(
  clients: number,
  contenders: Contenders,
  { rounds, seconds }: BroadcastOptions,
): Promise<Row[]> {
  const name = `broadcast to ${clients} clients`;
  return withSides(contenders, 'publish', async (sides) => {
    for (const { load } of [sides.edge, sides.bare]) {
      const newcomers = { tokens: newTokens(clients), concurrency: CONCURRENCY };
      await load.do('connect', newcomers, CONNECT_TIMEOUT_MS);
      await load.do('broadcasts', { seconds: WARM_UP_SECONDS }, GRACE_MS);
    }
    const figures = await alternate(rounds, name, async (side) => {
      const run = () => sides[side].load.do('broadcasts', { seconds }, seconds * 1000 + GRACE_MS);
      const { result, cost } = await costOf(sides[side], run, ({ deliveries }) => deliveries);
      return { ...cost, rate: result.deliveries / result.seconds };
    });
    return [
      { ...figures.rate, name, unit: 'deliveries per second', digits: 0 },
      ...costRows(figures, 'delivery', 1.4),
    ];
  });
}
