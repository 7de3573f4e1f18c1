import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Pools } from '../pools.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import { counted, turn } from './fixtures.test-support.ts';
import type { Worker } from './turns.ts';
import { TurnClock, Turns } from './turns.ts';

/** Each byte is a piece of work that takes so long. */
class Digger implements Worker {
  readonly done: string[] = [];
  readonly #name: string;
  readonly #msEach: number;

  constructor(name: string, msEach: number) {
    this.#name = name;
    this.#msEach = msEach;
    diggers.push(this);
  }

  work(bytes: Buffer): number {
    now += this.#msEach;
    this.done.push(String.fromCharCode(bytes[0]!));
    order.push(this.#name);
    return 1;
  }
}

let now: number;
const time = { ...SYSTEM_TIME, now: () => now };
let order: string[];
let waits: number[];
let given: Worker[];
let diggers: Digger[] = [];
let pools: Pools;
let turns: Turns<Digger>;

beforeEach(() => {
  now = 1000;
  order = [];
  waits = [];
  given = [];
  pools = new Pools({ backlog_from_clients: { share: 100, total: 250 } });
  turns = new Turns<Digger>(new TurnClock(time), 'backlog_from_clients', pools, {
    giveUp: (worker) => {
      given.push(worker);
      turns.drop(worker);
    },
    worked: (_worker, ms) => void waits.push(ms),
  });
});

// Or they would go on in the turns of the next test.
afterEach(() => {
  for (const digger of diggers.splice(0)) turns.drop(digger);
});

const used = (): number => [...pools.usage()].find(([pool]) => pool === 'backlog_from_clients')![1];

describe('what a peer has sent', () => {
  test('is worked off at once when it takes no time', () => {
    const quick = new Digger('quick', 0);
    turns.received(quick, Buffer.from('x'.repeat(1000)));
    expect(quick.done).toHaveLength(1000);
    expect(used()).toBe(0);
  });

  test('stops after 2 ms, and goes on 1.5 ms in each of the later turns, in order', async () => {
    const slow = new Digger('slow', 0.5);
    const lent = Buffer.from('abcdefghij');
    turns.receivedMeasured(slow, lent);
    expect(slow.done.join('')).toBe('abcd');
    expect(used()).toBe(6);
    lent.fill(0x21);
    turns.receivedMeasured(slow, Buffer.from('01'));
    await turn();
    expect(slow.done.join('')).toBe('abcdefg');
    await turn();
    expect(slow.done.join('')).toBe('abcdefghij');
    await turn();
    expect(slow.done.join('')).toBe('abcdefghij01');
    expect(used()).toBe(0);
    turns.receivedMeasured(slow, Buffer.from('!'));
    expect(slow.done.at(-1)).toBe('!');
  });

  test('shares the 2 ms with all others of the same turn, and time pays them back', () => {
    const [first, second] = [new Digger('first', 0.5), new Digger('second', 0.5)];
    turns.receivedMeasured(first, Buffer.from('x'.repeat(10)));
    turns.receivedMeasured(second, Buffer.from('x'.repeat(10)));
    expect([first.done.length, second.done.length]).toEqual([4, 0]);
    const third = new Digger('third', 0.5);
    now += 1;
    turns.receivedMeasured(third, Buffer.from('x'.repeat(10)));
    expect(third.done).toHaveLength(2);
  });

  test('has a first slice at once, whoever has taken the time, where messages cost little', () => {
    turns.receivedMeasured(new Digger('greedy', 0.5), Buffer.from('x'.repeat(50)));
    const small = new Digger('small', 0);
    turns.received(small, Buffer.from('y'));
    expect(small.done).toEqual(['y']);
  });

  test('has one time a turn, also where others have come and gone in that turn', async () => {
    for (let n = 0; n < 5; n++) {
      const gone = new Digger(`gone ${n}`, 0.5);
      turns.receivedMeasured(gone, Buffer.from('x'.repeat(50)));
      turns.drop(gone);
    }
    const stays = new Digger('stays', 0.5);
    turns.receivedMeasured(stays, Buffer.from('x'.repeat(50)));
    const before = stays.done.length;
    await turn();
    expect(stays.done.length - before).toBe(3);
  });

  test('takes turns with that of others', async () => {
    const names = ['a', 'b', 'c'];
    const peers = names.map((name) => new Digger(name, 0.5));
    for (const peer of peers) turns.receivedMeasured(peer, Buffer.from('x'.repeat(20)));
    order = [];
    await turn();
    expect(order.join('')).toBe('abc');
    await turn();
    expect(order.slice(3).join('')).toBe('abc');
  });

  test('is measured from when it came', async () => {
    const slow = new Digger('slow', 0.5);
    turns.receivedMeasured(slow, Buffer.from('x'.repeat(6)));
    now += 50;
    await turn();
    expect(waits).toEqual([2, 52.5, 0.5]);
  });
});

describe('who has to wait for somebody else', () => {
  /** Works off nothing while it is held. */
  class Held extends Digger {
    isHeld = true;
    asked = 0;

    override work(bytes: Buffer): number {
      this.asked++;
      now += 0.001;
      return this.isHeld ? 0 : super.work(bytes);
    }
  }

  test('keeps what it has, is asked again soon, and goes on in order', async () => {
    const held = new Held('held', 0);
    turns.receivedMeasured(held, Buffer.from('ab'));
    turns.receivedMeasured(held, Buffer.from('cd'));
    expect([held.done, held.asked]).toEqual([[], 1]);
    await vi.waitUntil(() => held.asked > 3);
    expect(held.done).toEqual([]);
    held.isHeld = false;
    await vi.waitUntil(() => held.done.length === 4);
    expect(held.done.join('')).toBe('abcd');
    expect(used()).toBe(0);
  });

  test('is not asked all the time', async () => {
    const [a, b] = [new Held('a', 0), new Held('b', 0)];
    const start = performance.now();
    for (const held of [a, b]) turns.receivedMeasured(held, Buffer.from('x'));
    for (let n = 0; n < 50; n++) await turn();
    // When it came, in the turn after that, and every 5 ms, should 50 turns take so long.
    const most = 2 + Math.ceil((performance.now() - start) / 5);
    expect(Math.max(a.asked, b.asked)).toBeLessThanOrEqual(most);
  });

  test('is not asked all the time either where a round of all takes several turns', async () => {
    pools = new Pools();
    turns = new Turns<Digger>(new TurnClock(time), 'backlog_from_clients', pools, {
      giveUp: (): never => expect.fail('nobody is given up'),
    });
    const all = Array.from({ length: 3_000 }, () => new Held('held', 0));
    for (const held of all) turns.receivedMeasured(held, Buffer.from('x'));
    const asked = (): number => all.reduce((sum, held) => sum + held.asked, 0);
    const start = performance.now();
    for (let n = 0; n < 50; n++) await turn();
    const rounds = 2 + Math.ceil((performance.now() - start) / 5);
    expect(asked()).toBeLessThanOrEqual(3_000 * rounds);
    // 1,500 in a turn.
    expect(asked()).toBeLessThan(50 * 1_500);
  });

  test('keeps nobody else from going on', async () => {
    const [held, digger] = [new Held('held', 0), new Digger('digger', 0.5)];
    turns.receivedMeasured(held, Buffer.from('x'));
    turns.receivedMeasured(digger, Buffer.from('x'.repeat(12)));
    for (let n = 0; n < 10; n++) await turn();
    expect(digger.done).toHaveLength(12);
    // And from one that comes while all others are held.
    await vi.waitUntil(() => held.asked > 5);
    const late = new Digger('late', 0.5);
    turns.receivedMeasured(late, Buffer.from('x'.repeat(12)));
    for (let n = 0; n < 10; n++) await turn();
    expect(late.done).toHaveLength(12);
  });
});

describe('what waits', () => {
  test('has a share for one, over which its sender is given up', () => {
    const flood = new Digger('flood', 0.5);
    turns.receivedMeasured(flood, Buffer.from('x'.repeat(100)));
    turns.receivedMeasured(flood, Buffer.from('x'.repeat(6)));
    expect(given).toEqual([flood]);
    expect(used()).toBe(0);
    expect(counted(pools.refusals)).toEqual({ 'backlog_from_clients|share': 1 });
  });

  test('has a sum for all, over which the largest is given up', () => {
    const floods = ['a', 'b', 'c'].map((name) => new Digger(name, 0.5));
    turns.receivedMeasured(new Digger('first', 0.5), Buffer.from('x'.repeat(10)));
    for (const flood of floods) turns.receivedMeasured(flood, Buffer.from('x'.repeat(80)));
    const small = new Digger('small', 0.5);
    turns.receivedMeasured(small, Buffer.from('x'.repeat(20)));
    expect(given).toEqual([floods[0]]);
  });

  test('is forgotten with who has sent it', async () => {
    const gone = new Digger('gone', 0.5);
    turns.receivedMeasured(gone, Buffer.from('x'.repeat(30)));
    turns.drop(gone);
    await turn();
    expect(gone.done).toHaveLength(4);
    expect(used()).toBe(0);
  });

  test('is worked off before its sender is said to have gone', async () => {
    const gone = new Digger('gone', 0.5);
    let ended = 0;
    const note = (): void => void ended++;
    turns.ended(gone, note);
    expect(ended).toBe(1);
    turns.receivedMeasured(gone, Buffer.from('x'.repeat(7)));
    turns.ended(gone, note);
    expect([gone.done.length, ended]).toEqual([4, 1]);
    await turn();
    expect([gone.done.length, ended]).toEqual([7, 2]);
  });
});

describe('the memory of what waits', () => {
  /** More than a block, so that what is worked off lies in one of its own, and than is kept for later. */
  const SLICE = 1024 * 1024 + 1;

  /** Takes as long as a turn has for each slice, and keeps hold of what it was lent. */
  class Eater implements Worker {
    readonly lent: Buffer[] = [];
    readonly lengths: number[] = [];
    meanwhile = (): void => {};
    msEach = 10;

    work(bytes: Buffer): number {
      now += this.msEach;
      this.lent.push(bytes);
      this.meanwhile();
      this.lengths.push(bytes.length);
      return Math.min(SLICE, bytes.length);
    }
  }

  function start(): { eater: Eater; eaters: Turns<Eater> } {
    const clock = new TurnClock(time);
    const rules = { giveUp: (): never => expect.fail('nobody is given up') };
    return {
      eater: new Eater(),
      eaters: new Turns<Eater>(clock, 'backlog_from_clients', new Pools(), rules),
    };
  }

  test('is given back when it is worked off', async () => {
    const { eater, eaters } = start();
    const lent = Buffer.alloc(3 * SLICE);
    eaters.receivedMeasured(eater, lent);
    eaters.receivedMeasured(eater, Buffer.alloc(SLICE));
    await turn();
    expect(eater.lent.map(({ length }) => length)).toEqual([3 * SLICE, 2 * SLICE]);
    await turn();
    await turn();
    expect(eater.lengths).toEqual([3, 2, 1, 1].map((slices) => slices * SLICE));
    expect(eater.lent.map(({ length }) => length)).toEqual([3 * SLICE, 0, 0, 0]);
    expect(lent).toHaveLength(3 * SLICE);
  });

  test('stays for what has been worked off of it until the turn ends, though its sender goes', async () => {
    const used: number[][] = [];
    const eater = new Eater();
    const eaters: Turns<Eater> = new Turns(
      new TurnClock(time),
      'backlog_from_clients',
      new Pools(),
      {
        giveUp: (): never => expect.fail('nobody is given up'),
        end: () => void used.push(eater.lent.map(({ length }) => length)),
      },
    );
    eaters.receivedMeasured(eater, Buffer.alloc(3 * SLICE));
    const other = new Eater();
    other.meanwhile = () => eaters.drop(eater);
    // Both go on in one turn, the first with a part of what waits.
    eater.msEach = 1;
    eaters.receivedMeasured(other, Buffer.alloc(2 * SLICE));
    await turn();
    expect(eater.lent.map(({ length }) => length)).toEqual([3 * SLICE, 0]);
    expect(used.at(-1)).toEqual([3 * SLICE, 2 * SLICE]);
  });

  test('serves again if it was large, one piece of it', async () => {
    const { eater, eaters } = start();
    const allocated = vi.spyOn(Buffer, 'allocUnsafeSlow');
    onTestFinished(() => allocated.mockRestore());
    const receive = async (bytes: number): Promise<void> => {
      eaters.receivedMeasured(eater, Buffer.alloc(SLICE + bytes));
      await turn();
    };
    await receive(300_000);
    await receive(200_000);
    await receive(70_000);
    await receive(300_001);
    await receive(60_000);
    await receive(300_001);
    expect(allocated.mock.calls).toEqual([[300_000], [300_001], [60_000]]);
    const waited = eater.lent.filter((_, at) => at % 2 === 1);
    expect(waited.map(({ length }) => length)).toEqual([0, 0, 0, 300_001, 0, 300_001]);
  });

  test('is what waits and no more than as much again, however many have a little', () => {
    const { eaters } = start();
    const allocated = vi.spyOn(Buffer, 'allocUnsafeSlow');
    onTestFinished(() => allocated.mockRestore());
    const bytesOf = (): number => allocated.mock.calls.reduce((sum, [bytes]) => sum + bytes, 0);
    for (let n = 0; n < 100; n++) eaters.receivedMeasured(new Eater(), Buffer.alloc(100));
    expect(bytesOf()).toBeLessThanOrEqual(100 * 100);
    const much = new Eater();
    allocated.mockClear();
    for (let n = 0; n < 500; n++) eaters.receivedMeasured(much, Buffer.alloc(10_000));
    expect(bytesOf()).toBeLessThanOrEqual(2 * 5_000_000);
    expect(allocated.mock.calls.length).toBeLessThan(50);
  });

  test('is given back when its sender goes, but not under the work of that very moment', async () => {
    const { eater, eaters } = start();
    const before = process.memoryUsage().arrayBuffers;
    eater.meanwhile = () => {
      if (eater.lent.length === 2) eaters.drop(eater);
    };
    for (let n = 0; n < 4; n++) eaters.receivedMeasured(eater, Buffer.alloc(2 * SLICE));
    await turn();
    expect(eater.lengths).toEqual([2 * SLICE, SLICE]);
    expect(eater.lent.map(({ length }) => length)).toEqual([2 * SLICE, 0]);
    const left = process.memoryUsage().arrayBuffers - before;
    // What was received is the test's own. Others in this process may have made small buffers meanwhile;
    // one that had not been given back would be of two slices.
    expect(left).toBeLessThan(4 * 2 * SLICE + SLICE);
    await turn();
    expect(eater.lengths).toHaveLength(2);
  });
});
