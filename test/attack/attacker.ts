/**
 * The attacker's process: `node attacker.ts <attack> <edge url> <hub> <nice>`. Prepares, says so, and then does
 * what it is told by messages: to strike, and to end, which it answers with its cost.
 */
import { subscribe } from 'node:diagnostics_channel';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { setTimeout as pass } from 'node:timers/promises';

import { ATTACKS } from './attacks.ts';
import type { Cost } from './start-attacker.ts';

const SESSION = '/proc/self/autogroup';

const [name, url = '', hub = '', nice] = process.argv.slice(2);
const attack = ATTACKS.find((attack) => attack.name === name);
if (attack === undefined) throw new Error(`there is no attack '${name}'`);

let sockets = 0;
subscribe('net.client.socket', () => sockets++);

/** Bytes that this process has written, to anything. */
function written(): number {
  return Number(/^wchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'latin1'))?.[1]);
}

const stop = new AbortController();
const strike = await attack.prepare({ url, hub });
let before: Cost = { sockets: 0, bytes: 0 };

process.on('message', (order: 'strike' | 'end') => {
  if (order === 'strike') {
    before = { sockets, bytes: written() };
    void strike(stop.signal);
  } else {
    stop.abort();
    const cost = { sockets: sockets - before.sockets, bytes: written() - before.bytes };
    process.send!(cost satisfies Cost, () => process.exit());
  }
});
process.on('disconnect', () => process.exit());
await lower(Number(nice));
console.log('prepared');

/**
 * So that the attacker takes no CPU from those who are measured, as one on another machine would not. Where
 * Linux groups processes by session, a priority counts within the session alone, and the session's own
 * beyond it. After the preparations, which on a busy machine would never end with so low a priority.
 */
async function lower(priority: number): Promise<void> {
  setPriority(priority);
  if (!existsSync(SESSION)) return;
  for (let tries = 20; tries > 0; tries--) {
    try {
      return writeFileSync(SESSION, `${priority}`);
    } catch (error) {
      // Linux takes one such change in 100 ms of the whole machine, but for who may administer it.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await pass(110);
    }
  }
  throw new Error(`${SESSION} could not be changed: measure again`);
}
