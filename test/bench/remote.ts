import { NATS_ENGINE } from '../bus/engines.ts';
import { type ClusterSide, startClusterSide } from './cluster-side.ts';
import { type Both, type SideNames, withSides } from './compare.ts';
import { deliveryRows, measureDeliveries, type Rounds, type Turn } from './delivery.ts';
import type { Sending } from './sending.ts';
import type { Row } from './table.ts';

export interface RemoteOptions extends Rounds {
  readonly clients: number;
}

export const REMOTE_SIDES: SideNames = ['remote', 'local'];

/**
 * Sends to clients of another edge, beside the same to clients of the app server's own: to everybody,
 * and a message to each of them. There are two edges on either side.
 */
export function measureRemote({ clients, ...rounds }: RemoteOptions): Promise<Row[]> {
  const start = (counts: readonly number[]) => () =>
    startClusterSide({ engine: NATS_ENGINE, clients: counts });
  const contenders = { edge: start([0, clients]), bare: start([clients, 0]) };
  return withSides(contenders, undefined, async (sides) => {
    const connections = {
      edge: await sides.edge.connections(),
      bare: await sides.bare.connections(),
    };
    const users = { edge: usersOf(sides.edge), bare: usersOf(sides.bare) };
    const nobody = { edge: [''], bare: [''] };
    const rows: Row[] = [];
    const measure = async (what: string, to: Sending['to'], names: Both<readonly string[]>) => {
      const turn = (side: keyof typeof names): Turn => ({
        sending: { to, names: names[side], times: 1 },
        heard: [clients],
      });
      const turns = { edge: turn('edge'), bare: turn('bare') };
      const cost = await measureDeliveries(what, REMOTE_SIDES, sides, turns, rounds);
      rows.push(...deliveryRows(what, cost));
    };
    await measure(`to all, ${clients} clients`, 'all', nobody);
    await measure(`to a connection, each of ${clients}`, 'connection', connections);
    await measure(`to a user, each of ${clients}`, 'user', users);
    return rows;
  });
}

function usersOf({ crowds }: ClusterSide): string[] {
  return crowds.flatMap(({ userIds }) => userIds);
}
