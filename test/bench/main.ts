/** `npm run bench`: what the edge costs beside a bare uWebSockets.js server, in one run. */
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';

import { measureApp } from './app-cost.ts';
import { measureBroadcast } from './broadcast.ts';
import type { Contenders } from './compare.ts';
import { measureConnect } from './connect.ts';
import { measureEcho } from './echo.ts';
import { measureIdle } from './idle.ts';
import { progress } from './progress.ts';
import { startBareSide, startEdgeSide } from './side.ts';
import type { StormOptions } from './storm.ts';
import { measureStorm } from './storm.ts';
import { formatTable, type Row } from './table.ts';

const USAGE = `Usage: npm run bench -- [options]

Compares the edge with a bare uWebSockets.js server on this machine: memory per idle client, echo
calls through an app server, broadcasts, connects; the app server with a ws server that speaks JSON;
and, by itself, clients that come at once to a hub which tells everybody of each. Servers and load
generators are processes of their own, take turns, and each figure is the median of the rounds. Needs
Linux, and 20,000 open files (ulimit -n) for the whole of it. The exit code says whether it ran, not
how fast.

  --quick        fewer clients and shorter rounds, for a first look
  --only <list>  of idle, echo, app, broadcast, connect, storm; comma separated
  --self         the bare server on both sides: how far from 1.00 the machine's noise goes
  --help         this text`;

/** The whole run is ended at this time, whatever hangs. */
const CAP_MINUTES = 20;

interface Plan {
  rounds: number;
  seconds: number;
  idle: readonly [few: number, many: number];
  broadcast: readonly number[];
  burst: number;
  connect: number;
  storms: readonly StormOptions[];
}

const FULL: Plan = {
  rounds: 5,
  seconds: 3,
  idle: [5_000, 15_000],
  broadcast: [1_000, 10_000],
  burst: 20,
  connect: 5_000,
  storms: [{ clients: 5_000, perSecond: 400 }, { clients: 5_000 }],
};
const QUICK: Plan = {
  rounds: 3,
  seconds: 1.5,
  idle: [1_000, 3_000],
  broadcast: [1_000],
  burst: 20,
  connect: 2_000,
  storms: [{ clients: 1_000 }],
};

type Measure = (contenders: Contenders, plan: Plan) => Promise<Row[]>;

const MEASURES: Readonly<Record<string, Measure>> = {
  idle: (contenders, { rounds, idle: [few, many] }) =>
    measureIdle(contenders, { rounds, few, many }),
  echo: (contenders, { rounds, seconds }) => measureEcho(contenders, { rounds, seconds }),
  app: (_contenders, { rounds, seconds }) => measureApp({ rounds, seconds }),
  broadcast: (contenders, { rounds, seconds, broadcast, burst }) =>
    measureBroadcast(contenders, { rounds, seconds, clients: broadcast, burst }),
  connect: (contenders, { rounds, connect }) =>
    measureConnect(contenders, { rounds, clients: connect }),
  storm: async (_contenders, { storms }) => {
    const rows: Row[] = [];
    for (const storm of storms) rows.push(...(await measureStorm(storm)));
    return rows;
  },
};

interface Arguments {
  help: boolean;
  plan: Plan;
  measures: Measure[];
  contenders: Contenders;
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: Object.keys(MEASURES).join() },
      self: { type: 'boolean', default: false },
    },
  });
  const measures = values.only.split(',').map((name) => {
    const measure = MEASURES[name];
    if (measure === undefined) throw new Error(`there is no measurement '${name}': see --help`);
    return measure;
  });
  const contenders = { edge: values.self ? startBareSide : startEdgeSide, bare: startBareSide };
  return { help: values.help, plan: values.quick ? QUICK : FULL, measures, contenders };
}

async function main(): Promise<void> {
  const { help, plan, measures, contenders } = readArguments();
  if (help) {
    console.log(USAGE);
    return;
  }
  if (process.platform !== 'linux') throw new Error('the bench reads /proc, so it needs Linux');
  setTimeout(() => {
    console.error(`bench: given up after ${CAP_MINUTES} minutes`);
    process.exit(1);
  }, CAP_MINUTES * 60_000).unref();
  const rows: Row[] = [];
  for (const measure of measures) rows.push(...(await measure(contenders, plan)));
  progress('done');
  const machine = `${availableParallelism()} x ${cpus()[0]?.model}, Node ${process.version}`;
  console.log(`\n${machine}, medians of ${plan.rounds} rounds\n\n${formatTable(rows)}`);
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  process.exitCode = 1;
}
