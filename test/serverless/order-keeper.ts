/**
 * An upstream in a process of its own that checks the order of what it hears of each connection:
 * `connected`, calls numbered from 1, `disconnected`, each when the one before has been answered. It
 * keeps one number for each connection that is there, however many events there are. Over IPC it is
 * asked for its `Report`.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What it has heard so far. */
export interface Report {
  readonly events: number;
  /** Connections that have come and not gone. */
  readonly connections: number;
  readonly violations: number;
  /** The first of them, in words. */
  readonly examples: readonly string[];
}

const RS = '\x1e';
/** One call in so many is answered late, so that those of other connections overtake it. */
const LATE_ONE_IN = 100;
const LATE_MS = 5;
/** One in so many fails: the next of its connection goes out all the same. */
const FAILS_ONE_IN = 1_000;
const MOST_EXAMPLES = 10;

/** The number of each connection's latest call, 0 before the first. */
const latest = new Map<string, number>();
/** Connections with an event that is not answered. */
const open = new Set<string>();
const examples: string[] = [];
let events = 0;
let violations = 0;

function violated(id: string, what: string): void {
  violations++;
  if (examples.length < MOST_EXAMPLES) examples.push(`${id}: ${what}`);
}

function note(id: string, event: string, number: number): void {
  events++;
  if (open.has(id)) violated(id, `${event} ${number} came before an answer`);
  const before = latest.get(id);
  if (event === 'connected') {
    if (before !== undefined) violated(id, `connected after call ${before}`);
    latest.set(id, 0);
  } else if (event === 'disconnected') {
    if (before === undefined) violated(id, 'disconnected, and was not there');
    latest.delete(id);
  } else {
    if (before !== number - 1) violated(id, `call ${number} after ${before}`);
    latest.set(id, number);
  }
}

function answer(response: ServerResponse, id: string, invocationId: string): void {
  open.delete(id);
  if (events % FAILS_ONE_IN === 0) response.writeHead(500).end();
  else response.end(JSON.stringify({ type: 3, invocationId, result: null }) + RS);
}

const server = createServer((request, response) => {
  const { headers } = request;
  const id = String(headers['x-asrs-connection-id']);
  const event = String(headers['x-asrs-event']);
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = JSON.parse(Buffer.concat(chunks).toString()) as { invocationId?: string };
    const { invocationId } = body;
    note(id, event, Number(invocationId ?? 0));
    if (invocationId === undefined) return void response.end();
    open.add(id);
    if (events % LATE_ONE_IN === 0) setTimeout(answer, LATE_MS, response, id, invocationId);
    else answer(response, id, invocationId);
  });
});

process.on('message', () => {
  const report: Report = { events, connections: latest.size, violations, examples };
  process.send!(report);
});
server.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.once('SIGTERM', () => process.exit());
