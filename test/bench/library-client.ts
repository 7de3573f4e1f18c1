/**
 * NATS's client by itself, in a process of its own: `node library-client.ts says|hears <url>`. Told a number
 * over IPC it says, or waits for, as many messages, and answers when that is done.
 */
import { setImmediate as turn } from 'node:timers/promises';

import { connect } from '@nats-io/transport-node';

const SUBJECT = 'bench';
/** As the figures have it that the floor comes from: see `library.ts`. */
const MESSAGE = new Uint8Array(100).fill(0x61);
const IN_A_TURN = 1_000;

const [role, url] = process.argv.slice(2);
const connection = await connect({ servers: url! });

async function say(messages: number): Promise<void> {
  for (let said = 0; said < messages; said++) {
    connection.publish(SUBJECT, MESSAGE);
    if (said % IN_A_TURN === 0) await turn();
  }
  await connection.flush();
}

let heard = 0;
let awaited = Number.POSITIVE_INFINITY;

function look(): void {
  if (heard < awaited) return;
  heard -= awaited;
  awaited = Number.POSITIVE_INFINITY;
  process.send!('heard');
}

if (role === 'hears') {
  connection.subscribe(SUBJECT, {
    callback: () => {
      heard++;
      look();
    },
  });
  await connection.flush();
}
process.on('message', (messages: number) => {
  if (role === 'hears') {
    awaited = messages;
    look();
  } else void say(messages).then(() => process.send!('said'));
});
process.once('SIGTERM', () => void connection.close().then(() => process.exit()));
console.log('ready');
