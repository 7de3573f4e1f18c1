import { decodeGroupPage, MessageType } from '@trunkline/protocol';

import {
  JSON_HANDSHAKE,
  TestEdge,
} from '../../services/edge/src/sessions/fixtures.test-support.ts';
import { ownPage } from '../../services/edge/src/sessions/listing.ts';
import { alternate, type Pair, type SideNames } from './compare.ts';
import type { Rounds } from './delivery.ts';
import { progress } from './progress.ts';
import type { Row } from './table.ts';

const CLIENTS = 100_000;
/** How many clients are in each of the groups: these are spread evenly over all. */
const GROUPS = { everybody: CLIENTS, 'one in ten': CLIENTS / 10, few: 400, small: 200 };
type Group = keyof typeof GROUPS;

const SIDES: SideNames = ['large', 'small'];

/**
 * What the edge's own listing takes for a page, without HTTP around it: of groups in an edge that has
 * 100,000 clients, beside a group that fits into a page. The clients are made as tests of the edge make
 * them, in this process and without sockets.
 */
export async function measureListings(
  pageSize: number,
  { rounds, seconds }: Rounds,
): Promise<Row[]> {
  progress(`listings: ${CLIENTS} clients join`);
  const list = await fillEdge(pageSize);
  const rows: Row[] = [];
  for (const group of ['everybody', 'one in ten', 'few'] as const) {
    const run = async (name: keyof Pair) => ({
      time: list(name === 'edge' ? group : 'small', seconds),
    });
    await run('edge');
    await run('bare');
    const label = `page of ${pageSize}, ${GROUPS[group]} of ${CLIENTS} clients`;
    const { time } = await alternate(rounds, SIDES, label, run);
    rows.push({ ...time, name: label, unit: 'us per page' });
  }
  return rows;
}

/** Lists a group page by page, and again from the first, for so long; answers the time of a page. */
type List = (group: Group, seconds: number) => number;

async function fillEdge(pageSize: number): Promise<List> {
  const edge = new TestEdge();
  const server = await edge.server();
  for (let n = 0; n < CLIENTS; n++) {
    const client = edge.strangeClient({ userId: `user-${n}` });
    client.says(JSON_HANDSHAKE);
    server.data(client, '{}␞');
    for (const [group, members] of Object.entries(GROUPS)) {
      if (n % (CLIENTS / members) !== 0) continue;
      server.says({ type: MessageType.JoinGroup, connectionId: client.id, group });
    }
    // What it was sent is of no use here, and would be most of what is kept.
    if (n % 1000 === 0) await server.messages();
  }
  const hub = edge.hubs.open('chat', 'server')!;
  return (group, seconds) => {
    const scope = { kind: 'group', name: group } as const;
    const until = performance.now() + seconds * 1000;
    let pages = 0;
    let spent = 0;
    for (let next: string | undefined; performance.now() < until; pages++) {
      const startedAt = performance.now();
      const { payload } = ownPage({ scope, size: pageSize, token: next }, hub, edge.context);
      spent += performance.now() - startedAt;
      ({ next } = decodeGroupPage(payload));
    }
    return (spent * 1000) / pages;
  };
}
