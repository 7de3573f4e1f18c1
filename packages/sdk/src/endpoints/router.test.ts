import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { EndpointLoad } from './endpoint.ts';
import { roomiest } from './router.ts';
import type { HubEndpoint } from './router.ts';

function endpoint(name: string, more: Partial<HubEndpoint> = {}): HubEndpoint {
  return { name, type: 'primary', online: true, clients: 0, load: undefined, ...more };
}

const load = (clients: number, capacity: number): EndpointLoad => ({
  clients,
  servers: 10,
  capacity,
});

/** How often each is chosen, of 1000 evenly spread draws. */
function shares(endpoints: readonly HubEndpoint[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let draw = 0; draw < 1000; draw++) {
    const { name } = roomiest(endpoints, () => draw / 1000)!;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe('where clients are sent by default', () => {
  test('to primaries, evenly when nothing is known', () => {
    const secondary = endpoint('s', { type: 'secondary' });
    expect(shares([endpoint('a'), secondary, endpoint('b')])).toEqual({ a: 500, b: 500 });
  });

  test('to secondaries when there is nothing else', () => {
    expect(shares([endpoint('s', { type: 'secondary' })])).toEqual({ s: 1000 });
    expect(roomiest([])).toBeUndefined();
  });

  test('by the capacity left, where all report one', () => {
    const a = endpoint('a', { load: load(90, 400), clients: 1 });
    const b = endpoint('b', { load: load(290, 400), clients: 500 });
    expect(shares([a, b])).toEqual({ a: 750, b: 250 });
    expect(shares([a, endpoint('b', { load: load(500, 400) })])).toEqual({ a: 1000 });
  });

  test("by this server's own clients, where one reports no capacity", () => {
    const a = endpoint('a', { load: load(0, 400), clients: 29 });
    const b = endpoint('b', { clients: 69, load: load(0, 0) });
    expect(shares([a, b])).toEqual({ a: 700, b: 300 });
  });

  test('somewhere, when all are over full', () => {
    const full = ['a', 'b'].map((name) => endpoint(name, { load: load(500, 400) }));
    expect(shares(full)).toEqual({ a: 500, b: 500 });
  });

  test('always to one that is there, whatever chance says', () => {
    const any = fc.record({ clients: fc.nat(), load: fc.option(fc.constant(load(3, 20))) });
    fc.assert(
      fc.property(fc.array(any, { minLength: 1 }), fc.double({ min: 0, max: 1 }), (all, chance) => {
        const endpoints = all.map((one, at) =>
          endpoint(`${at}`, { clients: one.clients, load: one.load ?? undefined }),
        );
        expect(endpoints).toContain(roomiest(endpoints, () => chance));
      }),
    );
  });
});
