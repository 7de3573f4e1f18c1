/**
 * The attacker's process: `node attacker.ts <attack> <edge url> <hub>`. Prepares, says so, and then
 * does what it is told by messages: to strike, and to end, which it answers with its cost.
 */
import { subscribe } from 'node:diagnostics_channel';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { setTimeout as pass } from 'node:timers/promises';

import { ATTACKS } from './attacks.ts';
import type { Cost } from './start-attacker.ts';

/**
 * So that it takes no CPU from those who are measured, as one on another machine would not. Where Linux
 * groups processes by session, a priority counts within the session alone, and the session's own beyond it.
 */
setPriority(constants.priority.PRIORITY_LOW);
const SESSION = '/proc/self/autogroup';
if (existsSync(SESSION)) await lowerSession();

/** Linux takes one such change in 100 ms of the whole machine, but for who may administer it. */
async function lowerSession(): Promise<void> {
  for (let tries = 20; tries > 0; tries--) {
    try {
      return writeFileSync(SESSION, `${constants.priority.PRIORITY_LOW}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await pass(110);
    }
  }
  throw new Error(`${SESSION} could not be changed: measure again`);
}

const [name, url = '', hub = ''] = process.argv.slice(2);
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
console.log('prepared');
