import { closes } from '../chaos/census.ts';
import { metric } from '../edge/support/metrics.ts';
import type { Cost } from './cost.ts';
import { costOf } from './cost.ts';
import { peakResidentBytes, residentBytes } from './process-usage.ts';
import { progress } from './progress.ts';
import type { EdgeSide } from './side.ts';
import { startEdgeSide } from './side.ts';
import type { Row } from './table.ts';
import { newUsers } from './tokens.ts';

export interface StormOptions {
  clients: number;
  /** All at once when not given. */
  perSecond?: number;
}

const TIMEOUT_MS = 300_000;
const SAMPLE_INTERVAL_MS = 100;
const MEGABYTE = 1_000_000;
/** `costOf` has microseconds. */
const SECONDS = (): number => 1_000_000;
const NOBODY = { of: 'edge', atMost: 0 } as const;

/**
 * Clients that come together to a hub which tells everybody of each: all of them are to hear of
 * themselves, and none is to be closed. There is no other side: what is sent to a client before it
 * is open is a matter of services that hold clients for others.
 */
export async function measureStorm({ clients, perSecond }: StormOptions): Promise<Row[]> {
  const side = await startEdgeSide('storm');
  const name = `storm of ${clients}, ${perSecond === undefined ? 'at once' : `${perSecond}/s`}`;
  try {
    progress(name);
    const before = residentBytes(side.serverPid);
    const mostHeld = watchHeld(side);
    const command = { newcomers: newUsers(clients), perSecond };
    const run = () => side.load.do('storm', command, TIMEOUT_MS);
    const { result, cost } = await costOf(side, run, SECONDS);
    await tellLosses(side, result.lost);
    return [
      row(`${name}: all open`, 's', result.openedSeconds),
      row('  from connect to open, median', 's', result.p50OpenSeconds),
      row('  the same, longest', 's', result.maxOpenSeconds),
      row('  all have heard of themselves', 's', result.heardSeconds),
      { ...row('  have not', 'clients', clients - result.heard, 0), floor: NOBODY },
      { ...row('  lost', 'clients', total(result.lost), 0), floor: NOBODY },
      row('  deliveries', 'messages', result.deliveries, 0),
      row('  held', 'messages', await metric(side.edge, 'trunkline_held_messages_total'), 0),
      row('  held at a time, at most', 'MB', (await mostHeld()) / MEGABYTE),
      row('  edge, resident before', 'MB', before / MEGABYTE),
      row('  the same, at most', 'MB', peakResidentBytes(side.serverPid) / MEGABYTE),
      ...costRows(cost),
    ];
  } finally {
    await side.stop();
  }
}

function row(name: string, unit: string, edge: number, digits = 1): Row {
  return { name, unit, edge, bare: 0, digits };
}

function costRows({ server, app, load }: Cost): Row[] {
  return [
    row('  edge', 'CPU s', server),
    row('  app server', 'CPU s', app),
    row('  load generator', 'CPU s', load),
  ];
}

/** Looks again and again at what is held for clients that are not open; the answer ends that. */
function watchHeld({ edge }: EdgeSide): () => Promise<number> {
  const samples: Promise<number>[] = [];
  const timer = setInterval(() => {
    samples.push(metric(edge, 'trunkline_pool_used', { pool: 'opening_clients' }));
  }, SAMPLE_INTERVAL_MS);
  return async () => {
    clearInterval(timer);
    return Math.max(...(await Promise.all(samples)));
  };
}

async function tellLosses({ edge }: EdgeSide, lost: Readonly<Record<string, number>>) {
  const { clients } = await closes(edge);
  for (const [why, count] of Object.entries(clients))
    progress(`  the edge closed ${count}: ${why}`);
  for (const [why, count] of Object.entries(lost)) progress(`  ${count} lost: ${why}`);
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
