/** `npm run attack`: what healthy clients feel, and what an edge's memory does, under each attack. */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';

import { progress } from '../bench/progress.ts';
import { runTask } from '../tasks/run-task.ts';
import { readArguments, USAGE } from './arguments.ts';
import { measure, type Row } from './measure.ts';
import { breaches, formatTable, summary, withTable } from './table.ts';

const PAGE = new URL('../../docs/security.md', import.meta.url);

/** Whether every row holds, and none is missing. */
async function main(signal: AbortSignal): Promise<boolean> {
  const { help, attacks, seconds, nice, write } = readArguments(process.argv.slice(2));
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
    const row = await measure({ attack, seconds, nice }, signal).catch((error: Error) => {
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
