import { describe, expect, expectTypeOf, test } from 'vitest';

import { serve } from '../harness.test-support.ts';
import { createServer } from '../server.ts';
import type { HubHandle, Server } from '../server.ts';
import { Hub } from './hub.ts';
import type { HubMethods } from './hub-methods.ts';
import type { TypedConnection } from './typed-connection.ts';

interface Page {
  changed(item: string): void;
}

class Shelf {
  readonly log: string[] = [];
}

class Stock extends Hub<Page> {
  static readonly methods = {
    take: { name: 'Take', authorize: ({ userIdentifier }) => userIdentifier === 'ada' },
    count: {},
  } as const satisfies HubMethods<Stock>;
  readonly #shelf: Shelf;

  constructor(shelf: Shelf) {
    super();
    this.#shelf = shelf;
  }

  override onConnected(): void {
    this.#shelf.log.push('connected');
  }

  override onDisconnected(): void {
    this.#shelf.log.push('disconnected');
  }

  async take(item: string): Promise<number> {
    await this.clients.all.changed(item);
    return this.#shelf.log.push(item);
  }

  *count(): Generator<number> {
    yield this.#shelf.log.length;
  }
}

const connectionString = 'Endpoint=http://127.0.0.1;Port=1;AccessKey=k;Version=1.0;';
const server = (): Server => createServer({ connectionString });
const claims = (user: string) => ({ claims: [['asrs.s.uid', user]] as [string, string][] });

test('a hub has what its maker gives it, in calls, streams and lifecycle hooks', async () => {
  const shelf = new Shelf();
  let made = 0;
  const create = () => {
    made++;
    return new Stock(shelf);
  };
  const { server: running, trunk } = await serve(Stock as never, { create });
  const ada = trunk.open({ id: 'a', ...claims('ada') });
  ada.call('Take', ['tea']);
  expect(await ada.text(1)).toBe('{"type":3,"invocationId":"1","result":2}');
  ada.json({ type: 4, invocationId: 's', target: 'count', arguments: [] });
  expect(await ada.text(2)).toBe('{"type":2,"invocationId":"s","item":2}');
  const bob = trunk.open({ id: 'b', ...claims('bob') });
  bob.call('Take', ['tea']);
  expect(await bob.text(1)).toContain('because user is unauthorized');
  expect(shelf.log).toEqual(['connected', 'tea', 'connected']);
  expect(made).toBe(4);
  await running.stop({ timeout: 0 });
  expect(shelf.log.slice(3)).toEqual(['disconnected', 'disconnected']);
});

describe('a maker that makes something else fails the call, and the log says why', () => {
  const one = new Stock(new Shelf());
  test.each<[string, () => unknown, string]>([
    ['nothing', () => undefined, 'must answer an object of the mapped class'],
    ['a promise', async () => one, 'must answer an object of the mapped class'],
    [
      'another hub',
      () => new (class extends Hub {})(),
      'must answer an object of the mapped class',
    ],
    ['the same again', () => one, 'must make a new hub object each time'],
    [
      'an error',
      () => {
        throw new Error('no database');
      },
      'no database',
    ],
  ])('%s', async (_what, create, why) => {
    const errors: unknown[] = [];
    const logger = {
      info: () => {},
      warn: () => {},
      error: (_message: string, error: unknown) => void errors.push(error),
    };
    const { trunk } = await serve(Stock as never, { create: create as never, server: { logger } });
    const client = trunk.open(claims('ada'));
    client.call('Take', ['tea']);
    await expect
      .poll(() => errors.map((error) => (error as Error).message))
      .toContainEqual(expect.stringContaining(why));
  });
});

test('a function in the place of the class is told what it is meant for', () => {
  const make = () => new Stock(new Shelf());
  for (const wrong of [make, undefined, {}, new Stock(new Shelf())]) {
    expect(() => server().hub('/stock', wrong as never)).toThrow(
      'takes a class that extends Hub, after the path; what makes its objects is the option create',
    );
  }
});

test('types: the handle has the clients of the class, and create must make what is mapped', () => {
  const check = (typed: Server) => {
    const handle = typed.hub('/stock', Stock, { create: () => new Stock(new Shelf()) });
    expectTypeOf(handle).toEqualTypeOf<HubHandle<Page>>();
    // @ts-expect-error: its constructor takes a shelf
    typed.hub('/stock', Stock);
    // @ts-expect-error: no Stock
    typed.hub('/stock', Stock, { create: () => new Shelf() });
  };
  expect(check).toBeTypeOf('function');
  expectTypeOf<TypedConnection<typeof Stock>['invoke']>().toBeCallableWith('Take', 'tea');
});
