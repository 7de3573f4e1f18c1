/** `npm run fuzz`: mutations of recorded traffic against a real edge. */
import { parseArgs } from 'node:util';

import { runTask } from '../tasks/run-task.ts';
import { fuzz, mib, type Outcome } from './run.ts';

const USAGE = `Usage: npm run fuzz -- [options]

Replays what real clients and app servers have said, changed here and there, to an edge, an app server
of the SDK and a negotiate service, over sockets: clients of each transport, server connections,
access tokens, negotiates, connection strings. Meanwhile clients of another hub call and are called.
Ends with 1 on a finding: a process dies or logs an error of its own, a healthy client is closed or
gets no answer, something is still held when everybody has gone, or memory does not come back. Stalls
of healthy clients are reported, over what the same call takes on an edge that nobody attacks.

  --minutes <n>  how long (10)
  --seed <n>     what the changes follow from (random)
  --first <n>    the number of the first input (0)
  --count <n>    how many inputs at most (no limit)
  --help         this text`;

interface Arguments {
  help: boolean;
  minutes: number;
  seed: number;
  first: number;
  count: number;
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: `${Math.floor(Math.random() * 2 ** 31)}` },
      first: { type: 'string', default: '0' },
      count: { type: 'string', default: 'Infinity' },
      help: { type: 'boolean', default: false },
    },
  });
  const [minutes, seed, first, count] = [
    Number(values.minutes),
    Number(values.seed),
    Number(values.first),
    Number(values.count),
  ];
  if (!(minutes > 0 && count > 0)) throw new Error('--minutes and --count take numbers above 0');
  if (!(Number.isSafeInteger(seed) && Number.isSafeInteger(first) && first >= 0)) {
    throw new Error('--seed and --first take whole numbers, --first from 0 on');
  }
  return { help: values.help, minutes, seed, first, count };
}

function print({ inputs, calls, stalls, worstMs, memory, ...found }: Outcome, seed: number): void {
  const [before, after] = memory?.map(mib) ?? ['not measured', 'not measured'];
  console.log(
    `seed ${seed}: ${inputs} inputs, ${found.findings.length} findings\n` +
      `healthy clients: ${calls} calls, ${stalls} stalls over 50 ms, worst ${worstMs.toFixed(0)} ms\n` +
      `memory of the edge: ${before} before, ${after} after`,
  );
  for (const finding of found.findings) console.log(`FINDING ${finding}`);
  if (found.suspects === undefined) return;
  const [first, last] = found.suspects;
  const range = `--seed ${seed} --first ${first} --count ${last - first + 1}`;
  console.log(`replay what was under way: npm run fuzz -- ${range}`);
}

async function main(signal: AbortSignal): Promise<boolean> {
  const { help, seed, ...plan } = readArguments();
  if (help) {
    console.log(USAGE);
    return true;
  }
  console.log(`seed ${seed}`);
  const outcome = await fuzz({ ...plan, seed, signal, progress: console.log });
  print(outcome, seed);
  return outcome.findings.length === 0;
}

await runTask('fuzz', main);
