import { type Engine, NATS_ENGINE, REDIS_ENGINE } from '../bus/engines.ts';
import { type ClusterPlan, startClusterSide } from './cluster-side.ts';
import { type Pair, type SideNames, withSides } from './compare.ts';
import { type DeliveryCost, measureDeliveries, type Rounds } from './delivery.ts';
import type { Sending } from './sending.ts';
import type { Row } from './table.ts';

export const RELAY_SIDES: SideNames = ['NATS', 'Redis'];

/** What an app server says at once; the next when the client has heard all of it. */
export const TOGETHER = 10_000;
/** The same of one that costs nothing, so that both edges have as much to do as they can. */
const FLAT_OUT = 100_000;
/** One client at one edge, in `group-0`. */
export const MEMBERSHIPS = { groups: 1, members: 1, clients: 1 } as const;
const MICROSECONDS = 1_000_000;
/** The most that a message may cost an edge: 500,000 of them in a second of its CPU. */
const FLOOR = { of: 'edge', atMost: 2 } as const;
const PER_CORE = { unit: 'messages per core and second', digits: 0 };
const COST = { unit: 'CPU us per message', digits: 2 };

/**
 * Messages from an app server at one edge to a client at another, as it says them and flat out: what they
 * cost the edge that says them to the other, and the one that hears them and passes them on. And what they
 * cost a single edge that has both.
 */
export async function measureRelay(rounds: Rounds): Promise<Row[]> {
  const far = await measureSends([0, 1], ['all', 'group'], rounds);
  const own = await measureSends([1], ['all'], rounds);
  const flatOut = await measureSends([0, 1], ['all'], rounds, FLAT_OUT);
  return [
    ...far.flatMap(([to, cost]) => [
      ...farRows(`relay, sends to ${to}`, cost),
      { ...cost.app, name: '  app servers', ...COST },
    ]),
    ...own.map(([, { near }]) => ({ ...near, name: 'sends to all, a single edge', ...COST })),
    // Its app server is no process of its own.
    ...flatOut.flatMap(([, cost]) => farRows('relay, flat out', cost)),
  ];
}

/** One client is at the edge that has a 1; it is in `group-0`. `flatOut`: so many messages at once. */
function measureSends(
  clients: readonly number[],
  targets: readonly Sending['to'][],
  rounds: Rounds,
  flatOut?: number,
): Promise<[Sending['to'], DeliveryCost][]> {
  const plan = (engine: Engine): ClusterPlan => ({
    engine,
    clients,
    memberships: MEMBERSHIPS,
    isPrepared: flatOut !== undefined,
  });
  const times = flatOut ?? TOGETHER;
  const contenders = {
    edge: () => startClusterSide(plan(NATS_ENGINE)),
    bare: () => startClusterSide(plan(REDIS_ENGINE)),
  };
  return withSides(contenders, undefined, async (sides) => {
    const costs: [Sending['to'], DeliveryCost][] = [];
    for (const to of targets) {
      const sending = { to, names: ['group-0'], times };
      const turn = { sending, heard: [times] };
      const name = `${times} to ${to}, ${clients.length} edges`;
      const turns = { edge: turn, bare: turn };
      costs.push([to, await measureDeliveries(name, RELAY_SIDES, sides, turns, rounds)]);
    }
    return costs;
  });
}

function farRows(name: string, { near, far, engine }: DeliveryCost): Row[] {
  return [
    { ...perCore(near), name: `${name}: edge that says it`, ...PER_CORE },
    { ...perCore(far), name: '  edge that hears it', ...PER_CORE },
    { ...near, name: '  edge that says it', ...COST, floor: FLOOR },
    { ...far, name: '  edge that hears it', ...COST, floor: FLOOR },
    { ...engine, name: '  engine', ...COST },
  ];
}

function perCore({ edge, bare }: Pair): Pair {
  return { edge: MICROSECONDS / edge, bare: MICROSECONDS / bare };
}
