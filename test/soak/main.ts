/** `npm run soak`: an edge under a mixed load, which loses a server connection every ten seconds. */
import { setTimeout as pass } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { startEdge, type StartedEdge, TcpProxy } from '@trunkline/testing';

import { startAppServer } from '../chaos/start-app-server.ts';
import { scrape } from '../edge/support/metrics.ts';
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

async function main(): Promise<boolean> {
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
  const owned: AsyncDisposable[] = [];
  const own = <Part extends AsyncDisposable>(part: Part): Part => {
    owned.push(part);
    return part;
  };
  try {
    const edge = own(await startEdge());
    const proxies = [own(await TcpProxy.start(edge.url)), own(await TcpProxy.start(edge.url))];
    for (const { url } of proxies) own(await startAppServer({ edgeUrl: url, hub: HUB }));
    const crowd = own(await Crowd.connect(edge.url, HUB, clients));
    return await soak(edge, proxies, crowd, minutes);
  } finally {
    for (const part of owned.toReversed()) await part[Symbol.asyncDispose]();
  }
}

const stop = new AbortController();
const { signal } = stop;

/** Whether all went well. */
async function soak(
  edge: StartedEdge,
  proxies: readonly TcpProxy[],
  crowd: Crowd,
  minutes: number,
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

process.once('SIGINT', () => {
  console.log('stopping ...');
  stop.abort();
});

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error(`soak: ${(error as Error).message}`);
  process.exitCode = 1;
}
