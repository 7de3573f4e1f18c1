import { isDeepStrictEqual } from 'node:util';

import { describe, expect, test } from 'vitest';

import { deferred } from '../deferred.ts';
import { ManualClock } from '../manual-clock.test-support.ts';
import type { EdgeReport } from './edge-report.ts';
import { readEdgeReport } from './edge-report.ts';
import type { EdgeWay } from './edge-spread.ts';
import { EdgeSpread, MAX_SPREAD } from './edge-spread.ts';

/** A server connection that a test opens and closes. */
class Line {
  open = false;
  carriesClients = true;
  edges: EdgeReport | undefined;
  readonly #opened = deferred();
  readonly #closed = deferred();

  constructor() {
    this.#opened.promise.catch(() => {});
  }

  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** At this edge, which knows of those that have a URL, and of so many others. */
  at(edge: string, urls: readonly string[], others = urls.length - 1): this {
    this.open = true;
    this.edges = {
      edge,
      others,
      urls: new Map(urls.map((id) => [id, urlOf(id)])),
      members: new Set(),
    };
    this.#opened.resolve();
    return this;
  }

  async close(): Promise<void> {
    this.open = false;
    this.#opened.reject(new Error('refused'));
    this.#closed.resolve();
  }
}

const urlOf = (id: string): string => `https://${id}.example`;

function spread() {
  const clock = new ManualClock();
  const lines = new Set<Line>();
  const dialled: EdgeWay[] = [];
  const made: Line[] = [];
  const unreached: string[] = [];
  const add = (): Line => {
    const line = new Line();
    lines.add(line);
    void line.closed.then(() => lines.delete(line));
    return line;
  };
  const edges = new EdgeSpread({
    clock,
    random: () => 0,
    connections: () => [...lines],
    dial: (way) => {
      dialled.push(way);
      const line = add();
      made.push(line);
      return line;
    },
    unreached: (url) => void unreached.push(url),
  });
  /** Lets seconds pass, and says what was dialled in them. */
  const pass = async (seconds: number): Promise<EdgeWay[]> => {
    const before = dialled.length;
    for (let second = 0; second < seconds; second++) {
      edges.tick();
      clock.advance(1000);
      await new Promise(setImmediate);
    }
    edges.tick();
    return dialled.slice(before);
  };
  return { edges, add, made, unreached, pass };
}

/** In which of so many seconds something is dialled that way, and refused at once. */
async function tries(
  { made, pass }: ReturnType<typeof spread>,
  way: EdgeWay,
  seconds: number,
): Promise<number[]> {
  const at: number[] = [];
  for (let second = 0; second < seconds; second++) {
    const dialled = await pass(1);
    if (dialled.some((one) => isDeepStrictEqual(one, way))) at.push(second);
    for (const line of made) if (!line.open) void line.close();
    await new Promise(setImmediate);
  }
  return at;
}

describe('edges with URLs of their own', () => {
  test('get a connection each, at their URLs, and no more', async () => {
    const { add, made, pass } = spread();
    add().at('a', ['a', 'b', 'c']);
    expect(await pass(2)).toEqual([{ url: urlOf('b') }, { url: urlOf('c') }]);
    expect(await pass(10)).toEqual([]);
    for (const [n, line] of made.entries()) line.at('bc'[n]!, ['a', 'b', 'c']);
    expect(await pass(100)).toEqual([]);
  });

  test('get none where one of the pool is, or comes to be within a second', async () => {
    const { add, pass } = spread();
    add().at('a', ['a', 'b']);
    const other = add();
    expect(await pass(0)).toEqual([]);
    other.at('b', ['a', 'b']);
    expect(await pass(100)).toEqual([]);
  });

  test('get another one when it is lost, later each time it is refused, told once', async () => {
    const world = spread();
    world.add().at('a', ['a', 'b']);
    await world.pass(1);
    world.made[0]!.at('b', ['a', 'b']);
    await world.pass(100);
    void world.made[0]!.close();
    const url = urlOf('b');
    expect(await tries(world, { url }, 130)).toEqual([1, 2, 4, 8, 16, 32, 64, 124]);
    expect(world.unreached).toEqual([url]);
  });

  test('are dialled anew, and soon, when another connection has been there meanwhile', async () => {
    const world = spread();
    world.add().at('a', ['a', 'b']);
    const url = urlOf('b');
    expect(await tries(world, { url }, 20)).toEqual([0, 1, 3, 7, 15]);
    const other = world.add().at('b', ['a', 'b']);
    await world.pass(1);
    void other.close();
    await new Promise(setImmediate);
    expect(await tries(world, { url }, 10)).toEqual([0, 1, 3, 7]);
    expect(world.unreached).toEqual([url, url]);
  });

  test('are not dialled any more once nobody lists them, and what is there stays', async () => {
    const { add, made, pass } = spread();
    const slot = add().at('a', ['a', 'b']);
    await pass(1);
    made[0]!.at('b', ['a']);
    slot.at('a', ['a']);
    await pass(10);
    expect(made[0]!.open).toBe(true);
    void made[0]!.close();
    expect(await pass(100)).toEqual([]);
  });

  test('are gone by what was told last while everything is lost', async () => {
    const { add, made, pass } = spread();
    const slot = add().at('a', ['a', 'b']);
    await pass(1);
    made[0]!.at('b', ['a', 'b']);
    await pass(10);
    void slot.close();
    void made[0]!.close();
    expect(await pass(2)).toContainEqual({ url: urlOf('b') });
  });

  test('of many, eight get one', async () => {
    const { add, pass } = spread();
    add().at('a', Array.from('abcdefghijklmnop'));
    expect(await pass(100)).toHaveLength(MAX_SPREAD);
  });

  test('a URL that leads to another edge is dialled once', async () => {
    const { add, made, pass } = spread();
    add().at('a', ['a', 'b']);
    await pass(1);
    made[0]!.at('a', ['a', 'b']);
    expect(await pass(100)).not.toContainEqual({ url: urlOf('b') });
  });
});

describe('through a load balancer', () => {
  test('another edge is looked for while all are at the same one, later each time', async () => {
    const world = spread();
    world.add().at('a', [], 1);
    world.add().at('a', [], 1);
    const elsewhere = 'a';
    expect(await tries(world, { elsewhere }, 130)).toEqual([0, 1, 3, 7, 15, 31, 63, 123]);
    expect(await world.pass(100)).toEqual([{ elsewhere }]);
    world.made.at(-1)!.at('b', [], 1);
    expect(await world.pass(1000)).toEqual([]);
  });

  test('and again when all have come to be at the same one', async () => {
    const { add, made, pass } = spread();
    const slot = add().at('a', [], 1);
    await pass(1);
    made[0]!.at('b', [], 1);
    await pass(10);
    void slot.close();
    add().at('b', [], 0);
    made[0]!.at('b', [], 0);
    expect(await pass(10)).toEqual([]);
    made[0]!.at('b', [], 1);
    expect(await pass(1)).toEqual([{ elsewhere: 'b' }]);
  });

  test('not while one has not said where it is, nor where there is no other edge', async () => {
    const { add, pass } = spread();
    const alone = add().at('a', [], 0);
    expect(await pass(100)).toEqual([]);
    alone.at('a', [], 1);
    const silent = add();
    silent.open = true;
    expect(await pass(100)).toEqual([]);
    void silent.close();
    expect(await pass(2)).toEqual([{ elsewhere: 'a' }]);
  });

  test('too, where URLs of edges cannot be reached', async () => {
    const world = spread();
    world.add().at('a', ['a', 'b']);
    expect(await world.pass(1)).toEqual([{ url: urlOf('b') }]);
    void world.made[0]!.close();
    await new Promise(setImmediate);
    expect(await world.pass(1)).toContainEqual({ elsewhere: 'a' });
  });
});

test('connections that carry no clients do not count, and its own are closed when told to', async () => {
  const { edges, add, made, pass } = spread();
  const weak = add().at('a', ['a', 'b']);
  weak.carriesClients = false;
  expect(await pass(100)).toEqual([]);
  weak.carriesClients = true;
  await pass(1);
  made[0]!.at('b', ['a', 'b']);
  edges.close();
  expect([weak.open, made[0]!.open]).toEqual([true, false]);
});

describe('what an edge reports', () => {
  test.each<[string, string[], EdgeReport | undefined]>([
    ['nothing', ['status', '1'], undefined],
    [
      'one alone',
      ['edges', 'a', 'others', '0'],
      { edge: 'a', others: 0, urls: new Map(), members: new Set() },
    ],
    [
      'all that are there',
      ['edges', 'a b', 'others', '0', 'member', 'a b', 'member', ''],
      { edge: 'a b', others: 0, urls: new Map(), members: new Set(['a b', '']) },
    ],
    [
      'ids with spaces and signs',
      [
        'edges',
        'a b',
        'others',
        '2',
        'edge',
        'https://x/=y a b',
        'new',
        '1',
        'edge',
        'http://z c=d',
      ],
      {
        edge: 'a b',
        others: 2,
        urls: new Map([
          ['a b', 'https://x/=y'],
          ['c=d', 'http://z'],
        ]),
        members: new Set(),
      },
    ],
    [
      'what is no URL',
      ['edges', 'a', 'edge', 'ftp://x b', 'edge', 'https:// c', 'edge', 'b', 'edge'],
      { edge: 'a', others: 0, urls: new Map(), members: new Set() },
    ],
  ])('%s', (_what, entries, report) => {
    expect(readEdgeReport(entries)).toEqual(report);
  });
});
