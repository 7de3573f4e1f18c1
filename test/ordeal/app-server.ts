/**
 * An app server of the ordeal: it puts every client into a group, answers its calls, and speaks to one
 * group after the other, to each in numbers that count on. Told a number over IPC, it calls the roll: a
 * message to each group.
 */
import { parseArgs } from 'node:util';

import { createServer, Hub } from '@trunkline/sdk';

import { GROUPS, HUB, type OrdealClient } from './contract.ts';

const { name = '', pace = '' } = parseArgs({
  options: {
    name: { type: 'string' },
    /** Between two messages to a group, in milliseconds. */
    pace: { type: 'string' },
  },
}).values;

/** What calls are given when it stops. */
const STOP_MS = 10_000;

class Ordeal extends Hub<OrdealClient> {
  override async onConnected(): Promise<void> {
    const { connectionId, query } = this.context;
    await this.groups.add(connectionId, query.get('group') ?? '');
  }

  echo(value: unknown): unknown {
    return value;
  }
}

const server = createServer();
const { clients } = server.hub('/ordeal', Ordeal, { hub: HUB, migration: 'always' });
await server.start();

/** What began before this process did has other numbers. */
const speaker = `${name} ${process.pid}`;
let said = 0;
const speaking = setInterval(
  () => {
    const group = clients.group(`${said % GROUPS}`);
    // Without a server connection it reaches nobody, as it should.
    group.said(speaker, Math.floor(said++ / GROUPS)).catch(() => {});
  },
  Number(pace) / GROUPS,
);

process.on('message', (roll: number) => {
  const calls = Array.from({ length: GROUPS }, (_, group) => clients.group(`${group}`).roll(roll));
  void Promise.all(calls).then(() => process.send!(roll));
});
process.once('SIGTERM', () => {
  clearInterval(speaking);
  void server.stop({ timeout: STOP_MS }).then(() => process.exit());
});
console.log('serving');
