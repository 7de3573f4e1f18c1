/**
 * Clients of one transport in a process of their own, told what to do over IPC: `node crowd-process.ts
 * <url> <transport> <count> <habits in JSON>`.
 */
import type { Habits, Notice, TransportName } from './contract.ts';
import { OrdealClient } from './client.ts';

const [url, transport, count, given] = process.argv.slice(2) as [
  string,
  TransportName,
  string,
  string,
];
const habits = JSON.parse(given) as Habits;
/** So many connect at a time. */
const AT_ONCE = 4;

const notice: Notice = freshNotice();
const clients = Array.from(
  { length: Number(count) },
  (_, number) => new OrdealClient(url, number, transport, habits, notice),
);

function freshNotice(): Notice {
  return {
    connected: 0,
    calls: 0,
    failed: 0,
    open: 0,
    lost: 0,
    waits: [],
    missed: 0,
    late: 0,
    twice: 0,
    present: 0,
    longestCall: 0,
  };
}

/** What has been noticed since the last time. */
function report(roll: number): Notice {
  const now = { ...notice };
  Object.assign(notice, freshNotice());
  now.connected = clients.filter((client) => client.isConnected).length;
  now.open = clients.filter((client) => client.isStuck).length;
  now.present = clients.filter((client) => client.hasHeard(roll)).length;
  return now;
}

process.on('message', (roll: number) => process.send!(report(roll)));
process.once('SIGTERM', () => process.exit());
process.on('disconnect', () => process.exit());
// What is wrong with a handshake the client throws into the process, beside failing its start.
process.on('uncaughtException', (error) => {
  if (/handshake/i.test(error.message)) return;
  console.error(error);
  process.exit(1);
});

const waiting = [...clients];
async function connectSome(): Promise<void> {
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await next.start();
}
await Promise.all(Array.from({ length: AT_ONCE }, connectSome));
console.log('connected');
