/** `npm run ordeal`: three edges behind load balancers, and what their clients notice of whatever happens to them. */
import { setTimeout as pass } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { NATS_ENGINE } from '../bus/engines.ts';
import { scrape } from '../edge/support/metrics.ts';
import { runTask } from '../tasks/run-task.ts';
import { withParts } from '../tasks/with-parts.ts';
import type { Notice } from './contract.ts';
import { Crowd } from './crowd.ts';
import { LoadWatch } from './load.ts';
import { type Phase, PHASES } from './phases.ts';
import { Service } from './service.ts';

const USAGE = `Usage: npm run ordeal -- [options]

Starts three edges on NATS behind TCP load balancers that send every new connection to another edge,
two app servers that dial these, too, and clients: eight tenths by WebSockets, a tenth each by
server-sent events and by long polling. App servers speak to all of them, group by group, in numbers that
count on; clients call, and come back when they are cut off. Then edges and app servers are killed,
frozen, drained and restarted, and what clients have noticed is printed for each, and how busy the other
edges were, in the busiest five seconds. Needs nats-server, and 20,000 open files for a process
(ulimit -n). Ends with 1 when a call was never answered, something came
twice, or late but by a frozen edge, or somebody did not come back or was missing in its group.

  --clients <n>  how many (6,000)
  --edges <n>    how many, 3 or more (3)
  --pace <ms>    between two messages of an app server to the same client (20,000)
  --calls <ms>   between a client's calls, give or take half (30,000)
  --back <ms>    a client that is cut off tries to come back within this time, at random, and again each
                 time that it fails (20,000)
  --only <list>  some of what happens, by number, comma separated: 0 to ${PHASES.length - 1}
  --help         this text`;

/** The roll takes its time to reach everybody. */
const ROLL_MS = 5_000;

interface Arguments {
  readonly help: boolean;
  readonly clients: number;
  readonly edges: number;
  readonly pace: number;
  readonly callEvery: number;
  readonly reconnect: number;
  readonly phases: readonly Phase[];
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      clients: { type: 'string', default: '6000' },
      edges: { type: 'string', default: '3' },
      pace: { type: 'string', default: '20000' },
      calls: { type: 'string', default: '30000' },
      back: { type: 'string', default: '20000' },
      only: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const numbers = {
    clients: Number(values.clients),
    edges: Number(values.edges),
    pace: Number(values.pace),
    callEvery: Number(values.calls),
    reconnect: Number(values.back),
  };
  if (!(Object.values(numbers).every((number) => number > 0) && numbers.edges >= 3)) {
    throw new Error('--edges takes 3 or more, and the others take numbers above 0');
  }
  const phases = values.only?.split(',').map(phaseAt) ?? PHASES;
  return { help: values.help, ...numbers, phases };
}

async function main(signal: AbortSignal): Promise<boolean> {
  const { help, clients, edges, pace, callEvery, reconnect, phases } = readArguments();
  if (help) {
    console.log(USAGE);
    return true;
  }
  if (!NATS_ENGINE.isHere) throw new Error('there is no nats-server: install it first');
  return withParts(async (own) => {
    const service = await own(Service.start(edges, 2, pace));
    const crowd = await own(Crowd.start(service.urls, clients, { callEvery, reconnect }));
    console.log(`${clients} clients are connected`);
    const steady = await steadyLoad(service, reconnect);
    console.log(`steady load of the busiest edge: ${percent(steady)} of a core`);
    await crowd.notice(0);
    let isGood = true;
    for (const phase of phases) {
      if (signal.aborted) return false;
      const before = await clientsByEdge(service);
      const load = watchOthers(service, phase);
      await phase.happen(service);
      await pass(phase.settles * 1000 + reconnect);
      const busiest = load.busiest();
      const roll = await service.callRoll();
      await pass(ROLL_MS);
      const notice = await crowd.notice(roll);
      isGood = report(phase, before, notice) && isGood;
      reportLoad(busiest, steady);
    }
    return isGood;
  });
}

/** Once those who have connected are at rest. */
async function steadyLoad({ edges }: Service, forMs: number): Promise<number | undefined> {
  const load = new LoadWatch(edges.map(({ pid }) => pid));
  await pass(forMs);
  return load.busiest();
}

/** Those that nothing happens to: they take over, and carry what comes back. */
function watchOthers({ edges }: Service, { edge }: Phase): LoadWatch {
  return new LoadWatch(edges.filter((_, at) => at !== edge).map(({ pid }) => pid));
}

/** Nothing where every edge has been started again. */
function reportLoad(busiest: number | undefined, steady: number | undefined): void {
  if (busiest === undefined || steady === undefined) return;
  const times = (busiest / steady).toFixed(2);
  console.log(
    `  busiest other edge: ${percent(busiest)} of a core, ${times} times the steady load`,
  );
}

function percent(share: number | undefined): string {
  return share === undefined ? '-' : `${Math.round(share * 100)} %`;
}

function phaseAt(text: string): Phase {
  const phase = PHASES[Number(text)];
  if (phase === undefined) throw new Error(`--only takes numbers from 0 to ${PHASES.length - 1}`);
  return phase;
}

async function clientsByEdge({ edges }: Service): Promise<number[]> {
  const all = await Promise.all(edges.map((edge) => scrape(edge)));
  return all.map(({ text }) =>
    [...text.matchAll(/^trunkline_client_connections\{.*\} (\d+)$/gm)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    ),
  );
}

/** Prints what was noticed, and says whether that is as it should be. */
function report(phase: Phase, before: readonly number[], notice: Notice): boolean {
  const { what, holdsBack = false } = phase;
  const { connected, calls, failed, open, lost, missed, late, twice, present } = notice;
  const waits = notice.waits.toSorted((a, b) => a - b);
  const wait = (part: number): string =>
    waits.length === 0 ? '-' : `${Math.round(waits[Math.floor(part * (waits.length - 1))]!)} ms`;
  console.log(`\n${what} (clients by edge before: ${before.join(', ')})`);
  console.log(`  calls: ${calls} answered, ${failed} ended with an error, ${open} open`);
  console.log(`  longest wait for an answer: ${Math.round(notice.longestCall)} ms`);
  console.log(
    `  connections lost: ${lost}; back, beyond the wait of their own: p50 ${wait(0.5)}, p99 ${wait(0.99)}, last ${wait(1)}`,
  );
  console.log(`  messages missed by who stayed: ${missed}, late: ${late}, twice: ${twice}`);
  console.log(`  connected: ${connected}, of whom ${present} are in their group`);
  return (
    open === 0 &&
    (late === 0 || holdsBack) &&
    twice === 0 &&
    connected === before.reduce((a, b) => a + b) &&
    present === connected
  );
}

await runTask('ordeal', main);
