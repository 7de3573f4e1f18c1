/** `npm run soak`: an edge under a mixed load, which loses a server connection every ten seconds. */
import { setTimeout as pass } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { startEdge, type StartedEdge, TcpProxy } from '@trunkline/testing';

import { startAppServer } from '../chaos/start-app-server.ts';
import { scrape } from '../edge/support/metrics.ts';
import { runTask } from '../tasks/run-task.ts';
import { withParts } from '../tasks/with-parts.ts';
import { Crowd } from './crowd.ts';
import { type Minute, report, verdict } from './report.ts';

const USAGE = `Usage: npm run soak -- [options]

Runs one edge with two app servers and clients of every transport that call, stream and broadcast,
cuts a connection of an app server every ten seconds, and prints a line a minute: memory of the edge,
migrations, calls, and what clients noticed. Ends with 1 when a client was disconnected, heard
something twice or out of order, or when memory kept growing.

  --minutes <n>  how long (30)
  --clients <n>  how many (150)
  --help         this text`;

const CUT_EVERY_MS = 10_000;
const HUB = 'soak';

async function main(signal: AbortSignal): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '30' },
      clients: { type: 'string', default: '150' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return true;
  }
  const [minutes, clients] = [Number(values.minutes), Number(values.clients)];
  if (!(minutes > 0 && clients > 0))
    throw new Error('--minutes and --clients take numbers above 0');
  return withParts(async (own) => {
    const edge = await own(startEdge());
    const proxies = [await own(TcpProxy.start(edge.url)), await own(TcpProxy.start(edge.url))];
    for (const { url } of proxies) await own(startAppServer({ edgeUrl: url, hub: HUB }));
    const crowd = await own(Crowd.connect(edge.url, HUB, clients));
    return soak({ edge, proxies, crowd }, minutes, signal);
  });
}

interface Scene {
  readonly edge: StartedEdge;
  readonly proxies: readonly TcpProxy[];
  readonly crowd: Crowd;
}

/** Whether all went well, for so long or until the signal. */
async function soak(
  { edge, proxies, crowd }: Scene,
  minutes: number,
  signal: AbortSignal,
): Promise<boolean> {
  const history: Minute[] = [];
  const end = performance.now() + minutes * 60_000;
  for (let cuts = 1; performance.now() < end; cuts++) {
    await pass(CUT_EVERY_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    proxies[cuts % proxies.length]!.cutOne();
    if (cuts % 6 === 0) history.push(report(await scrape(edge), crowd.tally, cuts));
  }
  return verdict(history, crowd.tally);
}

await runTask('soak', main);
