import { NATS_ENGINE } from '../bus/engines.ts';
import { type Crowd, startClusterSide } from './cluster-side.ts';
import { type SideNames, withSides } from './compare.ts';
import { deliveryRows, measureDeliveries, type Rounds, type Turn } from './delivery.ts';
import { groupName, groupsOf, type Memberships, numberOf } from './sending.ts';
import type { Row } from './table.ts';

export interface GroupsOptions extends Rounds, Memberships {}

export const GROUPS_SIDES: SideNames = ['3 edges', '1 edge'];

/** Sends to each of many small groups, their members spread over three edges, beside all at one. */
export function measureGroups({ rounds, seconds, ...memberships }: GroupsOptions): Promise<Row[]> {
  const { groups, members, clients } = memberships;
  const start = (counts: readonly number[]) => () =>
    startClusterSide({ engine: NATS_ENGINE, clients: counts, memberships });
  const third = clients / 3;
  const contenders = { edge: start([third, third, third]), bare: start([clients]) };
  return withSides(contenders, undefined, async (sides) => {
    const names = Array.from({ length: groups }, (_, group) => groupName(group));
    const turn = (crowds: readonly Crowd[]): Turn => ({
      sending: { to: 'group', names, times: 1 },
      heard: crowds.map(({ userIds }) => placesOf(userIds, memberships)),
    });
    const turns = { edge: turn(sides.edge.crowds), bare: turn(sides.bare.crowds) };
    const name = `to each of ${groups} groups of ${members}`;
    const timing = { rounds, seconds };
    return deliveryRows(name, await measureDeliveries(name, GROUPS_SIDES, sides, turns, timing));
  });
}

/** How many places in groups these users have. */
function placesOf(userIds: readonly string[], memberships: Memberships): number {
  return userIds.reduce((sum, userId) => sum + groupsOf(numberOf(userId), memberships).length, 0);
}
