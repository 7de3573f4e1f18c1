import { type ClusterRole, deliver, type SendingSide } from './cluster-side.ts';
import { alternate, type Both, type Pair, type SideNames } from './compare.ts';
import { costOf } from './cost.ts';
import type { Sending } from './sending.ts';
import type { Row } from './table.ts';

/** How long to measure. */
export interface Rounds {
  readonly rounds: number;
  /** Of each round. */
  readonly seconds: number;
}

/** What one side sends again and again, each time after all of it has been heard. */
export interface Turn {
  readonly sending: Sending;
  /** Messages that each crowd hears of it. */
  readonly heard: readonly number[];
}

/** What a delivery costs, by what the processes are for; `edges` are near and far ones together. */
export type DeliveryCost = Record<ClusterRole | 'edges', Pair>;

/** Has both sides send by turns and says what a delivery, or else a message, costs there. */
export async function measureDeliveries(
  name: string,
  sideNames: SideNames,
  sides: Both<SendingSide>,
  turns: Both<Turn>,
  { rounds, seconds }: Rounds,
): Promise<DeliveryCost> {
  const run = async (side: keyof Pair) => {
    const { sending, heard } = turns[side];
    const each = heard.reduce((sum, messages) => sum + messages);
    const work = () => repeat(seconds, () => deliver(sides[side], sending, heard));
    const { cost } = await costOf(sides[side], work, (times) => times * each);
    return { ...cost, edges: cost.near + cost.far };
  };
  // Until everything has been compiled.
  await run('edge');
  await run('bare');
  return alternate(rounds, sideNames, name, run);
}

/** Acts again and again for so long, and once at least; answers how often. */
export async function repeat(seconds: number, act: () => Promise<void>): Promise<number> {
  const until = performance.now() + seconds * 1000;
  let times = 0;
  do {
    await act();
    times++;
  } while (performance.now() < until);
  return times;
}

/** The rows of a cost: all edges together, and who works beside them. */
export function deliveryRows(name: string, cost: DeliveryCost): Row[] {
  const unit = 'CPU us per delivery';
  return [
    { ...cost.edges, name: `${name}: edges`, unit, digits: 2 },
    { ...cost.engine, name: '  engine', unit, digits: 2 },
    { ...cost.app, name: '  app servers', unit, digits: 2 },
    { ...cost.load, name: '  load generators', unit, digits: 2 },
  ];
}
