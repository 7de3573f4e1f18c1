import { alternate, type SideNames, withSides } from './compare.ts';
import { costOf } from './cost.ts';
import { startEchoEdges, type TwoEdges } from './two-edges.ts';
import { PollingClient } from './polling-client.ts';
import type { Row } from './table.ts';
import { newTokens } from './tokens.ts';

export const POLLS_SIDES: SideNames = ['relayed', 'at home'];

export interface PollsOptions {
  readonly rounds: number;
  /** Of each round. */
  readonly seconds: number;
}

const CLIENTS = 16;
const WARM_UP_SECONDS = 2;

/**
 * Echo calls of clients by long polling whose every request lands at another edge than their own, beside
 * those whose requests land where they belong. There are two edges on NATS on either side, and the app
 * server is at the clients' own.
 */
export async function measurePolls({ rounds, seconds }: PollsOptions): Promise<Row[]> {
  const start = (clientsAt: number) => () => startPollingSide(clientsAt);
  return withSides({ edge: start(1), bare: start(0) }, undefined, async (sides) => {
    for (const side of [sides.edge, sides.bare]) await side.echo(WARM_UP_SECONDS);
    const figures = await alternate(rounds, POLLS_SIDES, 'polls', async (name) => {
      const { result, cost } = await costOf(
        sides[name],
        () => sides[name].echo(seconds),
        (calls) => calls,
      );
      return { ...cost, rate: result / seconds };
    });
    return [
      {
        ...figures.rate,
        name: `echo by long polling, ${CLIENTS} clients`,
        unit: 'per second',
        digits: 0,
      },
      { ...figures.near, name: '  edge of the clients', unit: 'CPU us per echo' },
      { ...figures.far, name: '  the other edge', unit: 'CPU us per echo' },
      { ...figures.app, name: '  app server', unit: 'CPU us per echo' },
    ];
  });
}

interface PollingSide extends TwoEdges {
  /** All clients call for so many seconds; answers how many calls were answered. */
  echo(seconds: number): Promise<number>;
}

/** The clients' home is the first edge; `via`: the one that their requests go to. */
async function startPollingSide(via: number): Promise<PollingSide> {
  const edges = await startEchoEdges();
  const clients = newTokens(CLIENTS).map((token) => new PollingClient(edges.urls[via]!, token));
  await Promise.all(clients.map((client) => client.connect(edges.urls[0]!)));
  return {
    ...edges,
    echo: async (seconds) => {
      const until = performance.now() + seconds * 1000;
      let calls = 0;
      const call = async (client: PollingClient): Promise<void> => {
        for (; performance.now() < until; calls++) await client.echo();
      };
      await Promise.all(clients.map(call));
      return calls;
    },
    stop: async () => {
      for (const client of clients) client.close();
      await edges.stop();
    },
  };
}
