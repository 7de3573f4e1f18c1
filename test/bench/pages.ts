import { alternate, type Pair, type SideNames, withSides } from './compare.ts';
import { costOf } from './cost.ts';
import type { Rounds } from './delivery.ts';
import { measureListings } from './listings.ts';
import { startRestSide } from './rest-side.ts';
import type { Row } from './table.ts';

export const PAGES_SIDES: SideNames = ['large group', 'group of 200'];

/** The most that the REST API gives at once. */
const PAGE_SIZE = 200;

export interface PagesOptions extends Rounds {
  /** Of the large group: as many clients as an edge and their load generator have sockets for. */
  readonly members: number;
}

/**
 * What a page of 200 of a large group costs beside one that is a whole group: by the REST API with real
 * connections, then by the edge's own listing alone, with more members than one machine has sockets for.
 */
export async function measurePages(options: PagesOptions): Promise<Row[]> {
  return [...(await measureCalls(options)), ...(await measureListings(PAGE_SIZE, options))];
}

function measureCalls({ members, rounds, seconds }: PagesOptions): Promise<Row[]> {
  const start = (clients: number) => () => startRestSide(clients);
  const contenders = { edge: start(members), bare: start(PAGE_SIZE) };
  return withSides(contenders, undefined, async (sides) => {
    const run = async (name: keyof Pair) => {
      const { caller, edgePid } = sides[name];
      const { result, cost } = await costOf(
        { processes: { edge: [edgePid] } },
        () => caller.list({ group: 'group-0', pageSize: PAGE_SIZE, seconds }),
        ({ pages }) => pages,
      );
      return { cpu: cost.edge, p50: result.p50Milliseconds };
    };
    // Until everything has been compiled.
    await run('edge');
    await run('bare');
    const figures = await alternate(rounds, PAGES_SIDES, `pages of ${members} by REST`, run);
    const name = `page of ${PAGE_SIZE} by REST, a group of ${members}`;
    return [
      { ...figures.cpu, name: `${name}: edge`, unit: 'CPU us per page' },
      { ...figures.p50, name: '  p50, one at a time', unit: 'ms', digits: 2 },
    ];
  });
}
