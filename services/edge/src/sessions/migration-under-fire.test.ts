import { MessageType } from '@trunkline/protocol';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { JSON_HANDSHAKE, TestEdge, usedOf } from './fixtures.test-support.ts';
import type { Kind } from './under-fire.test-support.ts';
import { AppConnection, AppProcess, Caller } from './under-fire.test-support.ts';

const CLIENTS = 4;
const PROCESSES = 3;
const MOST_CONNECTIONS = 6;
/** App servers see a silent connection end after 30 to 35 s. */
const NOTICED_MS = 35_000;

/** Several processes, some clients, and whatever happens to them. */
class Battle {
  readonly edge = new TestEdge({ migration: 'always', serverWaitMs: 60_000 });
  readonly callers: Caller[] = [];
  /** What clients sent, in the order in which it came to whatever hub. */
  readonly sends: [string, number][] = [];
  readonly processes: AppProcess[] = [];
  readonly #current: AppProcess[] = [];
  readonly #frozen = new Set<AppConnection>();
  /** Seconds. */
  #passed = 0;

  static async begin(): Promise<Battle> {
    const battle = new Battle();
    battle.start(0, 0);
    battle.start(1, 0);
    for (let i = 0; i < CLIENTS; i++) {
      const client = battle.edge.strangeClient();
      client.says(JSON_HANDSHAKE);
      battle.callers.push(new Caller(client));
    }
    await battle.settle();
    return battle;
  }

  get live(): AppConnection[] {
    return this.processes.flatMap(({ live }) => live);
  }

  /** A process connects: again, if it sees that a connection is lost, the one at `lost` of them. */
  start(number: number, lost: number): void {
    // A process that has said fin does not connect again: its like has a new id.
    if (this.#current[number]?.departing ?? true) {
      this.#current[number] = new AppProcess(`${number}.${this.processes.length}`);
      this.processes.push(this.#current[number]);
    }
    const process = this.#current[number]!;
    const unnoticed = [...process.lost.keys()];
    if (unnoticed.length > 0) process.notices(unnoticed[lost % unnoticed.length]!);
    const server = this.edge.strangeServer({ serverId: process.serverId });
    server.shakesHands();
    process.connections.add(new AppConnection(server, process, this.sends));
  }

  /** The edge loses a connection; its process does not know yet. */
  kill(at: number): void {
    this.#at(at)?.server.socket.leave(1006);
    this.#noteLosses();
  }

  /** Not a byte comes from it any more. */
  freeze(at: number): void {
    const connection = this.#at(at);
    if (connection !== undefined) this.#frozen.add(connection);
  }

  drain(at: number, mode: number): void {
    const connection = this.#at(at);
    if (connection === undefined || this.#frozen.has(connection)) return;
    connection.process.departing = true;
    connection.fin = mode;
    connection.server.says({ type: MessageType.Ping, entries: ['shutdown', `fin:${mode}`] });
  }

  say(half: boolean): boolean {
    const any = this.live.map((each) => !this.#frozen.has(each) && each.say(half));
    return any.includes(true);
  }

  /** A process asks a client for a result. */
  ask(at: number, who: number): void {
    const connection = this.#at(at);
    if (connection === undefined || this.#frozen.has(connection)) return;
    connection.server.says(connection.process.ask(this.callers[who]!.client.id, connection));
  }

  pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.edge.pass(1);
      this.#goOn();
      for (const each of this.live) {
        if (!this.#frozen.has(each)) each.server.says({ type: MessageType.Ping, entries: [] });
      }
      this.#noteLosses();
    }
  }

  /** Nobody leaves a message half said for so long that the edge gives them up. */
  #goOn(): void {
    if (++this.#passed % 15 !== 0) return;
    for (const caller of this.callers) caller.goOn();
    this.say(false);
  }

  async settle(): Promise<void> {
    for (const process of this.processes) {
      for (const each of process.connections) if (!this.#frozen.has(each)) await each.read();
    }
    for (const caller of this.callers) caller.read();
  }

  /** Peace: every upload and question is answered, and hubs say all that they have to. */
  async end(): Promise<void> {
    this.start(PROCESSES, 0);
    // Past all deadlines after the last word.
    for (let silent = 0; silent < 60;) {
      for (const caller of this.callers) {
        while (caller.uploads.length > 0) caller.endUpload();
        caller.answer();
      }
      silent = this.say(false) ? 0 : silent + 3;
      if (silent > 0) this.pass(3);
      await this.settle();
    }
  }

  #at(at: number): AppConnection | undefined {
    return this.live[at % Math.max(1, this.live.length)];
  }

  #noteLosses(): void {
    const { now } = this.edge;
    for (const process of this.processes) {
      for (const each of process.connections) {
        if (each.server.socket.isOpen || process.lost.has(each)) continue;
        process.lost.set(each, now);
      }
      for (const [each, at] of process.lost) if (now >= at + NOTICED_MS) process.notices(each);
      // Nobody could tell it.
      if (process.live.length === 0) process.asked.clear();
    }
  }
}

const who = fc.nat(CLIENTS - 1);
const at = fc.nat(MOST_CONNECTIONS - 1);
const half = fc.boolean();
const kind = fc.constantFrom<Kind>('call', 'stream', 'upload', 'send');
const order = <T extends string>(name: T) => fc.constant(name);

/** What clients and hubs do, and how they do it in peace. */
const PEACE = [
  { weight: 8, arbitrary: fc.record({ do: order('begin'), who, kind, half }) },
  { weight: 3, arbitrary: fc.record({ do: order('endUpload'), who }) },
  { weight: 6, arbitrary: fc.record({ do: order('say'), half }) },
  { weight: 2, arbitrary: fc.record({ do: order('ask'), at, who }) },
  { weight: 2, arbitrary: fc.record({ do: order('answer'), who }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: order('start'), process: fc.nat(PROCESSES - 1), lost: at }),
  },
  { weight: 1, arbitrary: fc.record({ do: order('drain'), at, mode: fc.nat(2) }) },
] as const;
const FIRE = [
  { weight: 2, arbitrary: fc.record({ do: order('kill'), at }) },
  { weight: 1, arbitrary: fc.record({ do: order('freeze'), at }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: order('pass'), seconds: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: order('leave'), who }) },
] as const;

const peace = fc.oneof(...PEACE);
const fire = fc.oneof(...PEACE, ...FIRE);
type Step = typeof fire extends fc.Arbitrary<infer T> ? T : never;

async function take(battle: Battle, step: Step): Promise<void> {
  if (step.do === 'begin') battle.callers[step.who]!.begin(step.kind, step.half);
  else if (step.do === 'endUpload') battle.callers[step.who]!.endUpload();
  else if (step.do === 'say') battle.say(step.half);
  else if (step.do === 'ask') battle.ask(step.at, step.who);
  else if (step.do === 'answer') battle.callers[step.who]!.answer();
  else if (step.do === 'start') {
    if (battle.live.length < MOST_CONNECTIONS) battle.start(step.process, step.lost);
  } else if (step.do === 'drain') battle.drain(step.at, step.mode);
  else if (step.do === 'kill') battle.kill(step.at);
  else if (step.do === 'freeze') battle.freeze(step.at);
  else if (step.do === 'pass') battle.pass(step.seconds);
  else {
    const { socket } = battle.callers[step.who]!.client;
    if (socket.isOpen) socket.leave(1000);
  }
  await battle.settle();
}

async function fight(steps: readonly Step[]): Promise<Battle> {
  const battle = await Battle.begin();
  for (const step of steps) await take(battle, step);
  await battle.end();
  return battle;
}

function expectPeace({ edge, callers, sends, processes }: Battle): void {
  const here = callers.filter(({ client }) => client.socket.isOpen);
  expect(here.flatMap(({ open }) => [...open.keys()])).toEqual([]);
  expect(here.filter(({ client }) => client.session.host === undefined)).toEqual([]);
  expect(processes.flatMap(({ asked }) => [...asked.keys()])).toEqual([]);
  for (const { client } of callers) {
    const numbers = sends.filter(([id]) => id === client.id).map(([, number]) => number);
    expect(numbers).toEqual([...new Set(numbers)].sort((x, y) => x - y));
  }
  expect(usedOf(edge.context.pools, 'moving_clients')).toBe(0);
  expect(edge.context.unsettled.size).toBe(0);
  expect(edge.hubs.get('chat')!.waiting.size).toBe(0);
}

test('no client is silent, hears anything twice or out of order, or leaves anything behind', async () => {
  const given = fc.asyncProperty(fc.array(fire, { maxLength: 80, size: 'max' }), async (steps) => {
    const battle = await fight(steps);
    expectPeace(battle);
    const left = new Set(steps.filter((step) => step.do === 'leave').map((step) => step.who));
    expect(battle.edge.closes).toEqual(left.size === 0 ? {} : { Normal: left.size });
  });
  await fc.assert(given, { numRuns: 150 });
});

test('with servers that stop and none that is lost, no call fails and no send is lost', async () => {
  const given = fc.asyncProperty(fc.array(peace, { maxLength: 80, size: 'max' }), async (steps) => {
    const battle = await fight(steps);
    expectPeace(battle);
    const { callers, sends, edge } = battle;
    expect(callers.map(({ failed }) => failed)).toEqual(callers.map(() => 0));
    expect(sends).toHaveLength(callers.reduce((sum, { sent }) => sum + sent, 0));
    expect(edge.closes).toEqual({});
  });
  await fc.assert(given, { numRuns: 50 });
});
