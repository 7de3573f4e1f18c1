import { alternate, type Contenders, type Pair, withSides } from './compare.ts';
import { costOf, costRows } from './cost.ts';
import type { Row } from './table.ts';
import { newTokens } from './tokens.ts';

export interface ConnectOptions {
  rounds: number;
  /** Of each round. */
  clients: number;
}

const CONCURRENCY = 64;
const TIMEOUT_MS = 60_000;
const WARM_UP_CLIENTS = 2_000;

/** Upgrades and hub handshakes, each client with a token that has not been seen before. */
export async function measureConnect(
  contenders: Contenders,
  { rounds, clients }: ConnectOptions,
): Promise<Row[]> {
  const name = `connect, ${CONCURRENCY} at a time`;
  return withSides(contenders, 'echo', async (sides) => {
    const connectAll = async (side: keyof Pair, count: number) => {
      const { load } = sides[side];
      const newcomers = { tokens: newTokens(count), concurrency: CONCURRENCY };
      const startedAt = performance.now();
      const run = () => load.do('connect', newcomers, TIMEOUT_MS);
      const { cost } = await costOf(sides[side], run, () => count);
      const seconds = (performance.now() - startedAt) / 1000;
      await load.do('close', {}, TIMEOUT_MS);
      return { ...cost, rate: count / seconds };
    };
    await connectAll('edge', WARM_UP_CLIENTS);
    await connectAll('bare', WARM_UP_CLIENTS);
    const figures = await alternate(rounds, contenders.names, name, (side) =>
      connectAll(side, clients),
    );
    return [
      { ...figures.rate, name, unit: 'per second', digits: 0 },
      ...costRows(figures, 'connect', 3),
    ];
  });
}
