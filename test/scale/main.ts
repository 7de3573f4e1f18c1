/** `npm run scale`: as many clients as open files allow over several edges, and broadcasts to all of them. */
import { parseArgs } from 'node:util';

import { NATS_ENGINE } from '../bus/engines.ts';
import { residentBytes, settledBytes } from '../bench/process-usage.ts';
import { runTask } from '../tasks/run-task.ts';
import { withParts } from '../tasks/with-parts.ts';
import { measureBroadcasts } from './broadcasts.ts';
import { startEdges } from './edges.ts';

const USAGE = `Usage: npm run scale -- [options]

Starts several edges on NATS with an app server at each, connects clients to all of them, and sends
broadcasts to all clients from the first app server, one at a time. Prints what a client takes of an
edge's memory, and how long after the app server was told to send clients have heard it. Everything is
on this machine, load generators included: they share its cores. Needs nats-server, and as many open
files a process as an edge has clients, and 100 more (ulimit -n).

  --edges <n>       how many (8)
  --clients <n>     at each of them (15,000)
  --broadcasts <n>  how many (20)
  --help            this text`;

const KIB = 1024;
const MIB = KIB * KIB;

async function main(signal: AbortSignal): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      edges: { type: 'string', default: '8' },
      clients: { type: 'string', default: '15000' },
      broadcasts: { type: 'string', default: '20' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return true;
  }
  const [edges, clients, broadcasts] = [values.edges, values.clients, values.broadcasts].map(
    Number,
  );
  if (![edges, clients, broadcasts].every((count) => Number.isInteger(count) && count! > 0)) {
    throw new Error('--edges, --clients and --broadcasts take whole numbers above 0');
  }
  if (!NATS_ENGINE.isHere)
    throw new Error('there is no nats-server: install it, or put it on the PATH');
  return withParts(async (own) => {
    const scene = await own(startEdges(edges!));
    const empty = await Promise.all(scene.edges.map(({ pid }) => settledBytes(pid)));
    for (const [at] of scene.edges.entries()) {
      if (signal.aborted) return false;
      await scene.connect(at, clients!);
      console.log(`edge ${at + 1} of ${edges}: ${clients} clients`);
    }
    const full = await Promise.all(scene.edges.map(({ pid }) => settledBytes(pid)));
    const perClient = full.map((bytes, at) => (bytes - empty[at]!) / clients!);
    const total = edges! * clients!;
    console.log(`\n${total.toLocaleString('en')} clients at ${edges} edges`);
    console.log(
      `an edge: ${range(full, MIB)} MB resident, ${range(perClient, KIB, 2)} KB a client`,
    );
    const ms = await measureBroadcasts(scene, broadcasts!, signal);
    console.log(
      `a broadcast, heard by all: p50 ${ms.p50} ms, p99 ${ms.p99} ms, last ${ms.last} ms`,
    );
    const after = scene.edges.map(({ pid }) => residentBytes(pid));
    console.log(`an edge afterwards: ${range(after, MIB)} MB resident`);
    return !signal.aborted;
  });
}

function range(values: readonly number[], unit: number, digits = 0): string {
  const text = (value: number): string => (value / unit).toFixed(digits);
  const [least, most] = [text(Math.min(...values)), text(Math.max(...values))];
  return least === most ? most : `${least} to ${most}`;
}

await runTask('scale', main);
