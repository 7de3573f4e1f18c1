/** Clients of one transport in a process of their own, told what to do over IPC: `node crowd-process.ts <url> <transport> <count>`. */
import type { Notice, TransportName } from './contract.ts';
import { OrdealClient } from './client.ts';

const [url, transport, count] = process.argv.slice(2) as [string, TransportName, string];
/** So many connect at a time. */
const AT_ONCE = 16;

const notice: Notice = freshNotice();
const clients = Array.from(
  { length: Number(count) },
  (_, number) => new OrdealClient(url, number, transport, notice),
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
    disorder: 0,
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

const waiting = [...clients];
async function connectSome(): Promise<void> {
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await next.start();
}
await Promise.all(Array.from({ length: AT_ONCE }, connectSome));
console.log('connected');
