import { once } from 'node:events';

import { DotnetException, HubException } from '../exception.ts';
import { type HubCall, type HubDefinition, method, stream } from '../hub/definition.ts';
import { type Destination, select } from './destination.ts';
import { Gates } from './gates.ts';

/** Those that the hub's calls wait at. */
export const gates = new Gates();
/** By connection id, as apps keep their groups that know of one process only. */
const rooms = new Map<string, string>();
const journals = new Map<string, string[]>();

/** What happened to connections that gave this tag in their query, in order. */
function journal(tag: string): string[] {
  const known = journals.get(tag) ?? [];
  journals.set(tag, known);
  return known;
}

function note({ context }: HubCall, what: string): void {
  const tag = context.query.get('tag');
  if (tag !== null) journal(tag).push(what);
  console.log(`client ${context.connectionId} ${what}`);
}

function kept({ context: { items } }: HubCall): number[] {
  if (!items.has('kept')) items.set('kept', []);
  return items.get('kept') as number[];
}

function fail(): never {
  throw new DotnetException('InvalidOperationException', 'a secret');
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** How long `ask` waits, beyond which a client's answer is not wanted. */
async function ask(
  { clients }: HubCall,
  id: string,
  question: string,
  ms: number,
): Promise<unknown> {
  return clients.client(id).invoke('confirm', [question], AbortSignal.timeout(ms));
}

const calls = {
  echo: (_call: HubCall, value: unknown) => value,
  echoLater: async (_call: HubCall, value: unknown) => turn().then(() => value),
  nothing: (_call: HubCall) => {},
  add: (_call: HubCall, a: number, b: number) => a + b,
  refuse: (_call: HubCall, why: string): never => {
    throw new HubException(why);
  },
  fail: (_call: HubCall) => fail(),
  failLater: async (_call: HubCall) => turn().then(fail),
  /** A result of so many characters. */
  text: (_call: HubCall, length: number) => 'x'.repeat(length),
  connectionId: ({ context }: HubCall) => context.connectionId,
  about,
  keep: (call: HubCall, value: number) => void kept(call).push(value),
  kept: (call: HubCall) => kept(call),
  enter: ({ context }: HubCall, room: string) => void rooms.set(context.connectionId, room),
  room: ({ context }: HubCall) => {
    const room = rooms.get(context.connectionId);
    if (room === undefined) throw new HubException('You are in no room.');
    return room;
  },
  count: async ({ clients }: HubCall, to: number) => {
    for (let n = 0; n < to; n++) await clients.caller.send('message', n);
  },
  relay: async ({ clients }: HubCall, to: Destination, args: readonly unknown[]) =>
    select(clients, to).send('message', ...args),
  join: async ({ context, groups }: HubCall, group: string) => {
    await groups.add(context.connectionId, group);
  },
  leave: async ({ context, groups }: HubCall, group: string) => {
    await groups.remove(context.connectionId, group);
  },
  visit,
  abort: ({ context }: HubCall) => context.abort(),
  journal: (_call: HubCall, tag: string) => journal(tag),
  pass: async (_call: HubCall, gate: string) => gates.pass(gate),
  open: (_call: HubCall, gate: string) => gates.open(gate),
  ask,
  /** Which process serves the connection. */
  pid: (_call: HubCall) => process.pid,
  /** The server id of whoever served the connection before it was moved here; null if it was not. */
  migratedFrom: ({ context }: HubCall) => context.migration?.from ?? null,
};

async function visit(call: HubCall, group: string): Promise<void> {
  const { clients, groups, context } = call;
  await clients.group(group).send('message', 1);
  await groups.add(context.connectionId, group);
  await clients.group(group).send('message', 2);
  await groups.remove(context.connectionId, group);
  await clients.group(group).send('message', 3);
}

function about({ context }: HubCall): unknown {
  const { connectionId, user, headers, query } = context;
  const claims: Record<string, string | string[]> = {};
  for (const [type, value] of user.claims) {
    const known = claims[type];
    claims[type] = known === undefined ? value : [...[known].flat(), value];
  }
  return {
    connectionId,
    userIdentifier: user.userIdentifier,
    claims,
    headers: Object.fromEntries([...headers].map(([name, values]) => [name, values.join(', ')])),
    query: [...query],
  };
}

const streams = {
  countdown: async function* (_call: HubCall, from: number) {
    for (let n = from; n > 0; n--) yield n;
  },
  untilCancelled: async function* ({ signal }: HubCall, tag: string) {
    yield 'first';
    if (!signal.aborted) await once(signal, 'abort');
    journal(tag).push('cancelled');
  },
  refuseAfterOne: async function* (_call: HubCall, why: string) {
    yield 1;
    throw new HubException(why);
  },
};

async function sum(_call: HubCall, numbers: AsyncIterable<number>): Promise<number> {
  let sum = 0;
  for await (const number of numbers) sum += number;
  return sum;
}

async function both(
  _call: HubCall,
  prefix: string,
  a: AsyncIterable<string>,
  b: AsyncIterable<string>,
): Promise<string> {
  let text = prefix;
  for await (const part of a) text += part;
  for await (const part of b) text += part;
  return text;
}

async function first(_call: HubCall, items: AsyncIterable<unknown>): Promise<unknown> {
  for await (const item of items) return item;
  return null;
}

async function lastWords(_call: HubCall, items: AsyncIterable<unknown>): Promise<string> {
  try {
    for await (const _item of items);
    return 'no error';
  } catch (error) {
    return error instanceof HubException ? error.message : 'an error of some other kind';
  }
}

async function* doubled(_call: HubCall, numbers: AsyncIterable<number>): AsyncGenerator<number> {
  for await (const number of numbers) yield number * 2;
}

/** The conformance tests' hub. The query of a connection chooses what happens as it connects. */
export const mainHub: HubDefinition = {
  methods: {
    ...Object.fromEntries(Object.entries(calls).map(([name, run]) => [name, method(run)])),
    ...Object.fromEntries(Object.entries(streams).map(([name, run]) => [name, stream(run)])),
    sum: method(sum, 1),
    both: method(both, 2),
    first: method(first, 1),
    lastWords: method(lastWords, 1),
    doubled: stream(doubled, 1),
  },
  async onConnected(call) {
    const { context, clients } = call;
    note(call, 'connecting');
    await clients.caller.send('welcome', context.connectionId);
    const gate = context.query.get('gate');
    if (gate !== null) await gates.pass(gate);
    const refusal = context.query.get('refusal');
    if (refusal !== null) throw new HubException(refusal);
    note(call, 'connected');
  },
  async onDisconnected(call, error) {
    note(call, error === undefined ? 'disconnected' : `disconnected: ${error.message}`);
    const gate = call.context.query.get('farewell');
    if (gate !== null) await gates.pass(gate);
  },
};
