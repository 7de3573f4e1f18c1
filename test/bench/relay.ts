import { NATS_ENGINE, REDIS_ENGINE } from '../bus/engines.ts';
import { startClusterSide } from './cluster-side.ts';
import { type Pair, type SideNames, withSides } from './compare.ts';
import { measureDeliveries, type Rounds } from './delivery.ts';
import type { Row } from './table.ts';

export const RELAY_SIDES: SideNames = ['NATS', 'Redis'];

/** What an app server says at once; the next when the client has heard all of it. */
const TOGETHER = 10_000;
const MICROSECONDS = 1_000_000;
/** The most that a message may cost an edge: 500,000 of them in a second of its CPU. */
const FLOOR = { of: 'edge', atMost: 2 } as const;

/**
 * Messages from an app server at one edge to a client at another: what they cost the edge that says
 * them to the other, and the one that hears them and passes them on.
 */
export function measureRelay(rounds: Rounds): Promise<Row[]> {
  const start = (engine: typeof NATS_ENGINE) => (clients: readonly number[]) =>
    startClusterSide({ engine, clients, memberships: { groups: 1, members: 1, clients: 1 } });
  const contenders = { edge: start(NATS_ENGINE), bare: start(REDIS_ENGINE) };
  return withSides(contenders, [0, 1], async (sides) => {
    const rows: Row[] = [];
    for (const to of ['all', 'group'] as const) {
      const turn = { sending: { to, names: ['group-0'], times: TOGETHER }, heard: [TOGETHER] };
      const name = `relay, sends to ${to === 'all' ? 'all' : 'a group'}`;
      const turns = { edge: turn, bare: turn };
      const cost = await measureDeliveries(name, RELAY_SIDES, sides, turns, rounds);
      const unit = 'CPU us per message';
      rows.push(
        { ...perCore(cost.near), name: `${name}: edge that says it`, ...PER_CORE },
        { ...perCore(cost.far), name: '  edge that hears it', ...PER_CORE },
        { ...cost.near, name: '  edge that says it', unit, digits: 2, floor: FLOOR },
        { ...cost.far, name: '  edge that hears it', unit, digits: 2, floor: FLOOR },
        { ...cost.engine, name: '  engine', unit, digits: 2 },
        { ...cost.app, name: '  app servers', unit, digits: 2 },
      );
    }
    return rows;
  });
}

const PER_CORE = { unit: 'messages per core and second', digits: 0 };

function perCore({ edge, bare }: Pair): Pair {
  return { edge: MICROSECONDS / edge, bare: MICROSECONDS / bare };
}
