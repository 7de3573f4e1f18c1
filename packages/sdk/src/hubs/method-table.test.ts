import { describe, expect, test } from 'vitest';

import { Hub } from './hub.ts';
import type { HubMethodOptions, HubMethods } from './hub-methods.ts';
import { methodTable } from './method-table.ts';

class Base extends Hub {
  shared(): void {}
  overridden(): string {
    return 'base';
  }
}

class Derived extends Base {
  override overridden(): string {
    return 'derived';
  }
  own(_a: number, _b = 1, ..._rest: unknown[]): void {}
  async *stream(): AsyncGenerator<number> {}
  _helper(): void {}
  #private(): void {}
  get value(): number {
    this.#private();
    return 1;
  }
  field = () => {};
  override onConnected(): void {}
  static helper(): void {}
}

describe('callable methods', () => {
  test("are the class's own and its ancestors' below Hub", () => {
    const table = methodTable(Derived);
    expect([...table.keys()].sort()).toEqual(['overridden', 'own', 'shared', 'stream']);
    expect(Reflect.apply(table.get('overridden')!.run, {}, [])).toBe('derived');
    expect(table.get('own')).toMatchObject({
      fewest: 1,
      most: Infinity,
      uploads: 0,
      streams: false,
    });
    expect(table.get('stream')).toMatchObject({ streams: true });
  });

  test('are those of a static list, if there is one', () => {
    class Listed extends Derived {
      static readonly methods = ['own', '_helper'];
    }
    expect([...methodTable(Listed).keys()]).toEqual(['own', '_helper']);
  });

  test.each(['missing', 'onConnected', 'constructor', 'value', 'toString', '__proto__'])(
    'the list cannot name %s',
    (name) => {
      class Listed extends Derived {
        static readonly methods = [name];
      }
      expect(() => methodTable(Listed)).toThrow(`hub class 'Listed': methods names '${name}'`);
    },
  );

  test('must not differ in case only', () => {
    class Twice extends Base {
      SHARED(): void {}
    }
    expect(() => methodTable(Twice)).toThrow(/Overloading is not supported/);
  });

  test('need a class that extends Hub', () => {
    expect(() => methodTable(Map as never)).toThrow(/does not extend Hub/);
  });
});

test('a hub has no clients in its constructor', () => {
  class Eager extends Hub {
    seen = this.context;
  }
  expect(() => new Eager()).toThrow(/not in a constructor/);
});

describe('a static map', () => {
  class Mapped extends Derived {
    static readonly methods = {
      own: { name: 'SendMessage', aliases: ['Say'] },
      stream: {},
      shared: { authorize: () => true },
    } satisfies HubMethods<Derived>;
  }

  test('renames methods, gives them aliases, and leaves out the others', () => {
    const table = methodTable(Mapped);
    expect([...table.keys()]).toEqual(['sendmessage', 'say', 'stream', 'shared']);
    expect(table.get('say')).toBe(table.get('sendmessage'));
    expect(table.get('say')).toMatchObject({ name: 'own', fewest: 1, checks: undefined });
    const { authorize } = Mapped.methods.shared;
    expect(table.get('shared')!.checks).toEqual({ parameters: undefined, authorize });
  });

  test.each<[string, object, RegExp]>([
    ['a missing method', { missing: {} }, /methods names 'missing'/],
    ['a name twice', { own: { name: 'SHARED' }, shared: {} }, /Duplicate definitions of 'shared'/],
    ['an alias twice', { own: { aliases: ['Own'] } }, /Duplicate definitions of 'Own'/],
    ['no schema', { own: { parameters: [{}] } }, /'own' has a schema that is no Standard Schema/],
    [
      'an upload without one',
      { own: { uploads: [1] } },
      /methods\.own: uploads takes a list of schemas or a whole number from 0 on/,
    ],
    ['too few of them', { own: { parameters: [] } }, /'own' takes 1 arguments, .* are 0/],
    ['too low a number', { own: { parameters: 0 } }, /'own' takes 1 arguments, .* are 0/],
    [
      'a generator for an answer',
      { stream: { streams: false } },
      /'stream' is a generator function/,
    ],
  ])('with %s is refused', (_what, methods, why) => {
    class Wrong extends Derived {
      static readonly methods = methods as Record<string, HubMethodOptions>;
    }
    expect(() => methodTable(Wrong)).toThrow(why);
  });

  test('says what does not show in a function', () => {
    class Said extends Derived {
      static readonly methods = {
        own: { parameters: 2, uploads: 1 },
        shared: { streams: true },
      } as Record<string, HubMethodOptions>;
    }
    const table = methodTable(Said);
    expect(table.get('own')).toMatchObject({ fewest: 0, most: 2, uploads: 1, streams: false });
    expect(table.get('own')!.checks).toBeUndefined();
    expect(table.get('shared')).toMatchObject({ uploads: 0, streams: true });
  });
});
