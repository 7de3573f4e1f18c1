import { describe, expect, it, onTestFinished } from 'vitest';

import { NATS_ENGINE } from '../bus/engines.ts';
import { type ClusterSide, deliver, startClusterSide } from './cluster-side.ts';
import { measureDeliveries } from './delivery.ts';
import { startLibrarySide } from './library.ts';
import { groupsOf, type Sending } from './sending.ts';

/** Each client is in two of three groups. */
const MEMBERSHIPS = { groups: 3, members: 2, clients: 3 };
const SIDE_NAMES = ['this', 'the same'] as const;

/** Two edges, the app server that sends at the first, one client there and two at the second. */
async function start(): Promise<ClusterSide> {
  const plan = { engine: NATS_ENGINE, clients: [1, 2], memberships: MEMBERSHIPS };
  const side = await startClusterSide(plan);
  onTestFinished(async () => void (await side.stop()));
  return side;
}

describe.skipIf(!NATS_ENGINE.isHere)('a side of several edges (needs nats-server)', () => {
  it('sends to whom it is told to, and waits until all of them have heard', async () => {
    const side = await start();
    const [own, others] = side.crowds;
    const users = [...own!.userIds, ...others!.userIds];
    const groups = ['group-0', 'group-1', 'group-2'];
    const sends: [Sending['to'], readonly string[], number[]][] = [
      ['all', [''], [1, 2]],
      ['group', groups, [2, 4]],
      ['user', users, [1, 2]],
      ['connection', await side.connections(), [1, 2]],
    ];
    for (const [to, names, heard] of sends) {
      await deliver(
        side,
        { to, names, times: 3 },
        heard.map((messages) => 3 * messages),
      );
    }
    const turn = { sending: { to: 'all' as const, names: [''], times: 1 }, heard: [1, 2] };
    const both = { edge: side, bare: side };
    const turns = { edge: turn, bare: turn };
    const brief = { rounds: 1, seconds: 0 };
    const cost = await measureDeliveries('test', SIDE_NAMES, both, turns, brief);
    expect(cost.edges.edge).toBe(cost.near.edge + cost.far.edge);
  });

  it('is held against the client of NATS, which is waited for until it has heard everything, too', async () => {
    const side = await startLibrarySide();
    onTestFinished(async () => void (await side.stop()));
    const send = (times: number): Promise<void> =>
      deliver(side, { to: 'all', names: [''], times }, []);
    await expect(send(2_500)).resolves.toBeUndefined();
    await expect(send(1)).resolves.toBeUndefined();
  });
});

it('clients take turns in groups that are all full, wherever their numbers begin', () => {
  const memberships = { groups: 7, members: 4, clients: 6 };
  const clients = Array.from({ length: 6 }, (_, index) => groupsOf(100 + index, memberships));
  for (let group = 0; group < 7; group++) {
    expect(clients.filter((groups) => groups.includes(`group-${group}`))).toHaveLength(4);
  }
  expect(clients.flat()).toHaveLength(28);
});
