import { describe, expect, test } from 'vitest';

import { Hub } from './hub.ts';
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
    expect(table.get('own')).toMatchObject({ parameters: 1, streams: false });
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
