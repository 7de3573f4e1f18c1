import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { holdsToBusContract } from './bus-contract.test-support.ts';
import { joinLoopback, Loopback, LoopbackMember } from './loopback.test-support.ts';

describe('a bus over an engine', () => {
  holdsToBusContract(async () => {
    const engine = new Loopback();
    return {
      join: (edgeId) => (listener) => joinLoopback(engine, edgeId, listener),
      stop: async () => undefined,
    };
  });
});

let engine: Loopback;
let members: LoopbackMember[];

beforeEach(() => {
  engine = new Loopback();
  members = [];
});
afterEach(() => Promise.all(members.map(({ bus }) => bus.close())));

async function join(edgeId: string, cluster?: string): Promise<LoopbackMember> {
  const member = new LoopbackMember(engine, edgeId, cluster);
  members.push(member);
  await member.subscribe('s');
  return member;
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => void setImmediate(resolve));
};
const hears = (member: LoopbackMember, message: string): Promise<void> =>
  expect.poll(() => member.messages).toContain(message);

describe('an edge that was cut off', () => {
  test('is down, then hears of the gap before anything else, and the others of its own', async () => {
    const [a, b] = [await join('a'), await join('b')];
    a.publish('s', 'before');
    await hears(b, 's before');
    b.line.cut();
    expect(b.heard.at(-1)).toBe('down');
    expect(b.whys).toEqual(['it was cut']);
    a.publish('s', 'lost');
    await turns();
    b.line.join();
    await turns();
    a.publish('s', 'after');
    await hears(b, 's after');
    expect(b.gaps).toEqual(['cut']);
    expect(b.heard.slice(-3)).toMatchObject(['down', { gap: 'cut' }, { text: 'after' }]);
    await expect.poll(() => b.heard.at(-1)).toBe('up');
    await expect.poll(() => a.gaps).toEqual(['sender b']);
    expect(a.heard).not.toContain('down');
  });

  test('keeps what it says for when it is back, in order, and what others wait for comes then', async () => {
    const [a, b] = [await join('a'), await join('b')];
    a.line.cut();
    a.publish('s', '1', '2');
    a.send('b', '3');
    let inForce = false;
    a.bus.subscribe('t');
    a.bus.whenSubscribed(() => (inForce = true));
    await turns();
    expect([b.messages, inForce]).toEqual([[], false]);
    a.line.join();
    await hears(b, 'edge.b 3');
    expect(b.messages).toEqual(['s 1', 's 2', 'edge.b 3']);
    await expect.poll(() => inForce).toBe(true);
    b.publish('t', 'heard');
    await hears(a, 't heard');
  });

  test('waits a little when it is back, for the others may not be', async () => {
    const [a, b] = [await join('a'), await join('b')];
    engine.stop();
    a.publish('s', 'kept');
    a.line.join();
    engine.isDown = false;
    a.line.join();
    await new Promise((resolve) => void setTimeout(resolve, 350));
    b.line.join();
    await hears(b, 's kept');
    expect([a.gaps[0], b.gaps[0]]).toEqual(['cut', 'cut']);
  });

  test('is told of another gap when it hears something and is cut off again before it is back', async () => {
    const [a, b] = [await join('a'), await join('b')];
    b.line.cutOut();
    a.publish('s', 'half');
    await hears(b, 's half');
    b.line.cut();
    a.publish('s', 'lost');
    await turns();
    b.line.join();
    await turns();
    a.publish('s', 'after');
    await hears(b, 's after');
    expect(b.heard.slice(1)).toMatchObject([
      'down',
      { gap: 'cut' },
      { text: 'half' },
      { gap: 'cut' },
      { text: 'after' },
    ]);
  });

  test('again and again is told of each time, counted and logged', async () => {
    const a = await join('a');
    for (let i = 0; i < 2; i++) {
      a.line.cut();
      a.line.join();
      await expect.poll(() => a.heard.at(-1)).toBe('up');
    }
    expect(a.stats).toMatchObject({ isUp: true, reconnects: 2, gaps: { cut: 2 } });
    expect(a.heard).toEqual([
      'up',
      'down',
      { gap: 'cut', from: undefined },
      'up',
      'down',
      { gap: 'cut', from: undefined },
      'up',
    ]);
    expect(a.lines[0]).toMatchObject({ level: 'info', bus: 'loopback', msg: 'bus joined' });
    expect(a.lines[1]).toMatchObject({ level: 'warn', why: 'it was cut' });
  });
});

test('an engine that is away at first is tried for, with a line in the log, and nothing is lost', async () => {
  const b = await join('b');
  engine.isDown = true;
  const a = new LoopbackMember(engine, 'a');
  members.push(a);
  a.publish('s', 'early');
  await turns();
  expect(a.heard).toEqual([]);
  expect(a.stats).toMatchObject({ isUp: false, since: -Infinity });
  expect(a.lines).toMatchObject([{ level: 'warn', bus: 'loopback', why: 'it is down' }]);
  engine.isDown = false;
  a.line.join();
  await hears(b, 's early');
  expect(a.heard).toEqual(['up']);
  expect([a.gaps, b.gaps]).toEqual([[], []]);
});

test('a batch that the engine loses is a gap for those who miss it', async () => {
  const [a, b, c] = [await join('a'), await join('b'), await join('c')];
  c.bus.subscribe('t');
  await c.subscribe();
  a.publish('s', '1');
  a.publish('t', '1');
  await hears(c, 't 1');
  engine.passes = (name) => !name.endsWith('.s');
  a.publish('s', '2');
  await turns();
  engine.passes = () => true;
  a.publish('t', '3');
  a.publish('s', '3');
  await Promise.all([hears(b, 's 3'), hears(c, 's 3')]);
  expect(b.heard.slice(-3)).toMatchObject([{ text: '1' }, { gap: 'missing' }, { text: '3' }]);
  expect(c.messages).toEqual(['s 1', 't 1', 't 3', 's 3']);
  expect(c.gaps).toEqual(['missing a']);
});

test('what is still under way of a subject that was given up comes no more, and is no gap later', async () => {
  const [a, b] = [await join('a'), await join('b')];
  a.publish('s', '1');
  await hears(b, 's 1');
  a.publish('s', '2');
  await new Promise((resolve) => void setImmediate(resolve));
  b.bus.unsubscribe('s');
  await turns();
  a.publish('s', '3');
  await turns();
  await b.subscribe('s');
  a.publish('s', '4');
  await hears(b, 's 4');
  expect(b.messages).toEqual(['s 1', 's 4']);
  expect(b.gaps).toEqual([]);
});

test('what is dropped on the way out is a gap for everybody, also for who hears nothing else', async () => {
  const [a, b] = [await join('a'), await join('b')];
  a.publish('s', '1');
  await hears(b, 's 1');
  a.bus.publish('elsewhere', Buffer.alloc(16 * 1024 * 1024 + 1));
  await expect.poll(() => b.gaps, { timeout: 3_000 }).toEqual(['sender a']);
  expect(a.stats.dropped.too_large).toBe(1);
});

test('clusters on one engine do not hear each other', async () => {
  const [a, b] = [await join('x', 'one'), await join('y', 'two')];
  const c = await join('z', 'one');
  a.publish('s', 'for one');
  a.send('y', 'for nobody');
  await hears(c, 's for one');
  await expect.poll(() => a.heard).toContainEqual({ gone: 'y' });
  expect(b.messages).toEqual([]);
});

test('an edge of another major version is refused, with one line that names both', async () => {
  const a = await join('a');
  const other = engine.connect({
    connected: () => undefined,
    lost: () => undefined,
    failed: () => undefined,
    received: () => undefined,
    unheard: () => undefined,
    taken: () => undefined,
  });
  await turns();
  for (let i = 0; i < 3; i++) other.write('trunkline.test.s', Buffer.of(2, 1, 2, 3), undefined);
  await turns();
  const lines = a.lines.filter(({ level }) => level === 'error');
  expect(lines).toMatchObject([{ theirs: 2, ours: 1, count: 1 }]);
  expect(a.messages).toEqual([]);
});

test('traffic is counted on both sides', async () => {
  const [a, b] = [await join('a'), await join('b')];
  a.publish('s', 'one', 'three');
  await hears(b, 's three');
  expect(a.stats.published).toEqual({ messages: 2, bytes: 8, batches: 1 });
  expect(b.stats.received).toEqual({ messages: 2, bytes: 8, batches: 1 });
  expect(b.stats.subscriptions).toBe(3);
});

test('what fails in who listens is not taken for a failure of the engine', async () => {
  const a = await join('a');
  const thrown = new Promise((resolve) => {
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', resolve);
    onTestFinished(() => {
      process.removeAllListeners('uncaughtException');
      for (const listener of listeners) process.on('uncaughtException', listener);
    });
  });
  const broken = joinLoopback(engine, 'broken', {
    message: () => {
      throw new Error('mine');
    },
    gap: () => undefined,
    gone: () => undefined,
    together: (hear) => hear(),
    up: () => undefined,
    down: () => undefined,
  });
  onTestFinished(() => broken.close());
  await new Promise<void>((resolve) => broken.whenSubscribed(resolve));
  a.send('broken', 'x');
  expect(await thrown).toMatchObject({ message: 'mine' });
});

test('one that is closed has no timer left, and says nothing any more', async () => {
  const timers = vi.spyOn(globalThis, 'clearInterval');
  onTestFinished(() => timers.mockRestore());
  const a = await join('a');
  const b = await join('b');
  a.line.cut();
  await a.bus.close();
  await a.bus.close();
  expect(timers).toHaveBeenCalledOnce();
  const { length } = a.heard;
  b.send('a', 'x');
  await turns();
  expect(a.heard).toHaveLength(length);
  expect(b.heard.at(-1)).toEqual({ gone: 'a' });
});
