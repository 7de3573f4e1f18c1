import { alternate, SIDE_NAMES, withSides } from './compare.ts';
import { costOf } from './cost.ts';
import { CLIENTS, type EchoOptions, GRACE_MS, OUTSTANDING, warmUp } from './echo.ts';
import { startEdgeSide, startJsonSide } from './side.ts';
import type { Row } from './table.ts';

const MICROSECONDS = 1_000_000;

/**
 * Echo calls that one core of an app server answers: the SDK behind an edge, and a bare `ws` server
 * that parses and writes JSON for its own clients.
 */
export async function measureApp({ rounds, seconds }: EchoOptions): Promise<Row[]> {
  return withSides({ edge: startEdgeSide, bare: startJsonSide }, 'echo', async (sides) => {
    await warmUp(sides);
    const command = { outstanding: OUTSTANDING, seconds };
    const figures = await alternate(rounds, SIDE_NAMES, 'app server', async (name) => {
      const run = () => sides[name].load.do('echoFlatOut', command, seconds * 1000 + GRACE_MS);
      const { cost } = await costOf(sides[name], run, ({ echoes }) => echoes);
      return { perCore: MICROSECONDS / cost.app, cpu: cost.app };
    });
    const name = `app server, ${CLIENTS} clients x ${OUTSTANDING}, beside ws with JSON`;
    return [
      { ...figures.perCore, name, unit: 'echoes per core and second', digits: 0 },
      { ...figures.cpu, name: '  app server', unit: 'CPU us per echo' },
    ];
  });
}
