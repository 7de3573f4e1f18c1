/** `npm run bench`: what the edge costs beside a bare uWebSockets.js server, in one run. */
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { type Contenders, SIDE_NAMES, type SideNames } from './compare.ts';
import { FULL, MEASURES, type Plan, QUICK } from './measures.ts';
import { progress } from './progress.ts';
import { startBareSide, startEdgeSide } from './side.ts';
import { formatTable, type Row, withoutFloor } from './table.ts';

const USAGE = `Usage: npm run bench -- [options]

Compares the edge with a bare uWebSockets.js server on this machine: memory per idle client, echo calls
through an app server, broadcasts, connects; the app server with a ws server that speaks JSON; by itself,
clients that come at once to a hub which tells everybody of each. Then edges that a bus joins: relay, what
a message costs that one edge says to another, on NATS beside Redis, as an app server says it and as fast
as edges go; library, the first of these on NATS beside a message that NATS's client says by itself;
remote, sends to clients of another edge beside those of the same one; groups, sends to groups spread over
three edges beside one; guests, calls of clients whose app server has dialled another edge, beside the
same of clients of its own; polls, calls by long polling that land at another edge than their client's;
processes, calls at two edges on one port, a parent's, beside one edge.
Of what needs no app server: rest, sends by the REST API beside those of an app server; upstream, calls
that an upstream answers beside an app server; pages, a page of a group of very many beside one of 200.
At last backplane, two edges on Redis beside two Kestrels with ASP.NET Core's backplane.
Servers and load generators are processes of their own (but for the app server of relay, flat out), take
turns, and each figure is the median of the rounds. Needs Linux, and 20,000 open files (ulimit -n) for the
whole of it; nats-server and redis-server for edges on a bus, and the .NET 10 SDK for the backplane: what
there is no program for is left out, and said. The exit code says whether it ran, not how fast.

  --quick        fewer clients and shorter rounds, for a first look
  --only <list>  some of them, comma separated:
                 ${Object.keys(MEASURES).join(', ')}
  --self         the bare server on both sides: how far from 1.00 the machine's noise goes
  --against <checkout>
                 the edge built in that directory in place of the bare server:
                 ${contests().join(', ')}
  --help         this text`;

/** The whole run is ended at this time, whatever hangs. */
const CAP_MINUTES = 30;

interface Arguments {
  help: boolean;
  plan: Plan;
  names: readonly string[];
  /** They have been asked for by name. */
  areAskedFor: boolean;
  contenders: Contenders;
  /** What the edge has to keep to is said of the bare server. */
  hasFloors: boolean;
}

/** Those that compare whatever the two sides are. */
function contests(): string[] {
  return Object.keys(MEASURES).filter((name) => MEASURES[name]!.sideNames === undefined);
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      self: { type: 'boolean', default: false },
      against: { type: 'string' },
    },
  });
  const { against, only, self } = values;
  const possible = against === undefined ? Object.keys(MEASURES) : contests();
  const names = only?.split(',') ?? possible;
  for (const name of names) {
    if (possible.includes(name)) continue;
    throw new Error(
      `there is no measurement '${name}'${against === undefined ? '' : ' with --against'}: see --help`,
    );
  }
  return {
    help: values.help,
    plan: values.quick ? QUICK : FULL,
    names,
    areAskedFor: only !== undefined,
    contenders: {
      edge: self ? startBareSide : (work) => startEdgeSide(work),
      bare: against === undefined ? startBareSide : (work) => startEdgeSide(work, edgeIn(against)),
      names: against === undefined ? SIDE_NAMES : ['edge', 'other'],
    },
    hasFloors: against === undefined,
  };
}

function edgeIn(checkout: string): { main: string } {
  return { main: join(checkout, 'services/edge/dist/main.js') };
}

interface Measured {
  readonly sideNames: SideNames;
  readonly rows: Row[];
}

async function main(): Promise<void> {
  const { help, plan, names, areAskedFor, contenders, hasFloors } = readArguments();
  if (help) {
    console.log(USAGE);
    return;
  }
  if (process.platform !== 'linux') throw new Error('the bench reads /proc, so it needs Linux');
  setTimeout(() => {
    console.error(`bench: given up after ${CAP_MINUTES} minutes`);
    process.exit(1);
  }, CAP_MINUTES * 60_000).unref();
  const tables: Measured[] = [];
  for (const name of names) {
    const measurement = MEASURES[name]!;
    const lack = await measurement.lacks?.();
    if (lack !== undefined && areAskedFor) throw new Error(`${name} cannot be measured: ${lack}`);
    if (lack !== undefined) {
      progress(`${name} is left out: ${lack}`);
      continue;
    }
    const rows = await measurement.measure(contenders, plan);
    add(
      tables,
      measurement.sideNames ?? contenders.names,
      hasFloors ? rows : rows.map(withoutFloor),
    );
  }
  progress('done');
  const machine = `${availableParallelism()} x ${cpus()[0]?.model}, Node ${process.version}`;
  console.log(`\n${machine}, medians of ${plan.rounds} rounds`);
  for (const { rows, sideNames: columns } of tables) console.log(`\n${formatTable(rows, columns)}`);
}

/** Rows about the same two sides share a table. */
function add(tables: Measured[], sideNames: SideNames, rows: Row[]): void {
  const table = tables.find((one) => one.sideNames === sideNames);
  if (table === undefined) tables.push({ sideNames, rows });
  else table.rows.push(...rows);
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  process.exitCode = 1;
}
