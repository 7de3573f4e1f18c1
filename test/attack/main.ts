/** `npm run attack`: what healthy clients feel, and what an edge's memory does, under each attack. */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';

import { progress } from '../bench/progress.ts';
import { runTask } from '../tasks/run-task.ts';
import type { Attack } from './attack.ts';
import { ATTACKS } from './attacks.ts';
import { measure, type Row } from './measure.ts';
import { breaches, formatTable, summary, withTable } from './table.ts';

const PAGE = new URL('../../docs/security.md', import.meta.url);

const USAGE = `Usage: npm run attack -- [options]

Attacks an edge from within one hub, and watches clients of another: twenty, over every transport, that
call five times a second each, and a newcomer every second. Each attack has an edge of its own, on free
ports of this machine; nothing else is ever attacked. Prints a table, and ends with 1 when a row breaks its
limit. Needs Linux, and 20,000 open files (ulimit -n) for the whole of it.

  --only <list>   some attacks, comma separated (${ATTACKS.length} in all)
  --seconds <n>   how long each attack goes on, 1 to 600 (10)
  --write         put the table into docs/security.md; not with --only
  --help          this text, and the attacks

Attacks:
${ATTACKS.map(({ name, what }) => `  ${name.padEnd(20)} ${what}`).join('\n')}`;

interface Arguments {
  readonly help: boolean;
  readonly attacks: readonly Attack[];
  readonly seconds: number;
  readonly write: boolean;
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      seconds: { type: 'string', default: '10' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const seconds = Number(values.seconds);
  if (!(seconds >= 1 && seconds <= 600)) throw new Error('--seconds takes a number from 1 to 600');
  if (values.write && values.only !== undefined) {
    throw new Error('--write writes the whole table: leave --only away');
  }
  const attacks = values.only?.split(',').map((name) => {
    const attack = ATTACKS.find((attack) => attack.name === name);
    if (attack === undefined) throw new Error(`there is no attack '${name}': see --help`);
    return attack;
  });
  return { help: values.help, attacks: attacks ?? ATTACKS, seconds, write: values.write };
}

/** Whether every row holds, and none is missing. */
async function main(signal: AbortSignal): Promise<boolean> {
  const { help, attacks, seconds, write } = readArguments();
  if (help) {
    console.log(USAGE);
    return true;
  }
  if (process.platform !== 'linux') throw new Error('the attacks read /proc, so they need Linux');
  const conditions =
    `${new Date().toISOString().slice(0, 10)}, ${seconds} s each, ` +
    `${availableParallelism()} x ${cpus()[0]?.model}, Node ${process.version}`;
  const loads = [loadavg()[0]!];
  const rows: Row[] = [];
  for (const attack of attacks) {
    const row = await measure(attack, seconds, signal).catch((error: Error) => {
      progress(`${attack.name}: could not be measured: ${error.message}`);
    });
    if (signal.aborted) break;
    if (row === undefined) continue;
    loads.push(loadavg()[0]!);
    progress(`${attack.name}: ${summary(row)}`);
    rows.push(row);
  }
  const load = `load of the machine ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`;
  const text = `${conditions}, ${load}.\n\n${formatTable(rows)}`;
  console.log(text);
  const whole = rows.length === attacks.length;
  if (write && whole) writeFileSync(PAGE, withTable(readFileSync(PAGE, 'utf8'), text));
  return whole && rows.every((row) => breaches(row).length === 0);
}

await runTask('attack', main);
