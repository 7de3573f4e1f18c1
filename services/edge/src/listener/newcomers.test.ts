import type { HttpResponse } from 'uWebSockets.js';
import { expect, test } from 'vitest';
import { Pools } from '../pools.ts';
import { Newcomers } from './newcomers.ts';

const LIMIT = 100;
const SPARE = 8;
const POOL = { share: 4, total: 6 };

/** A listener's sockets: `LIMIT` that are settled, and those that the test lets come. */
function start(pool = POOL) {
  const pools = new Pools({ newcomers: pool });
  const turnedAway: string[] = [];
  const newcomers = new Newcomers({
    openSockets: LIMIT,
    spareSockets: SPARE,
    pools,
    turnedAway: (address) => turnedAway.push(address),
  });
  let open = LIMIT;
  const arrive = (address: string): { state: 'open' | 'closed'; request(): void; lose(): void } => {
    const handlers: { aborted?: () => void; data?: () => void } = {};
    const socket = {
      state: 'open' as 'open' | 'closed',
      request: () => handlers.data!(),
      lose: () => void res.close(),
    };
    const res = {
      getRemoteAddressAsText: () => Buffer.from(address),
      onAborted(handler: () => void) {
        handlers.aborted = handler;
        return res;
      },
      onData(handler: () => void) {
        handlers.data = handler;
        return res;
      },
      close() {
        socket.state = 'closed';
        open--;
        handlers.aborted?.();
        return res;
      },
    };
    open++;
    newcomers.arrived(res as unknown as HttpResponse, open);
    return socket;
  };
  const states = (sockets: readonly { state: string }[]): string[] => sockets.map((s) => s.state);
  const used = (): number => [...pools.usage()].find(([pool]) => pool === 'newcomers')![1];
  return { newcomers, arrive, states, used, turnedAway, leave: (count: number) => (open -= count) };
}

test('below the limit nobody is a newcomer', () => {
  const { newcomers, arrive, leave, used } = start();
  leave(1);
  arrive('a');
  expect([newcomers.any, used()]).toEqual([false, 0]);
});

test('an address over its share loses its oldest', () => {
  const { arrive, states, turnedAway, used } = start();
  const sockets = Array.from({ length: 6 }, () => arrive('a'));
  expect(states(sockets)).toEqual(['closed', 'closed', 'open', 'open', 'open', 'open']);
  expect(turnedAway).toEqual(['a', 'a']);
  expect(used()).toBe(4);
});

test('when places are short the address with most of them pays', () => {
  const { arrive, states } = start();
  const crowd = Array.from({ length: 4 }, () => arrive('a'));
  const others = ['b', 'c', 'd'].map((address) => arrive(address));
  expect(states(crowd)).toEqual(['closed', 'open', 'open', 'open']);
  expect(states(others)).toEqual(['open', 'open', 'open']);
});

test('when every address has one the oldest of all goes', () => {
  const { arrive, states } = start();
  const sockets = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((address) => arrive(address));
  expect(states(sockets.slice(0, 3))).toEqual(['closed', 'closed', 'open']);
  expect(states(sockets.slice(3))).toEqual(Array(5).fill('open'));
});

test('who has shown a request is never closed, and who has gone gives its place back', () => {
  const { newcomers, arrive, states, used } = start();
  const first = arrive('a');
  first.request();
  arrive('a').lose();
  expect([newcomers.any, used()]).toEqual([false, 0]);
  for (let i = 0; i < 20; i++) arrive('a');
  expect(states([first])).toEqual(['open']);
});

test.each([
  { share: 0, total: 0 },
  { share: 4, total: 0 },
  { share: 0, total: 6 },
])('where there are no places, %o, whoever comes is closed', (pool) => {
  const { arrive, newcomers, states, turnedAway, used } = start(pool);
  expect(states([arrive('a'), arrive('b')])).toEqual(['closed', 'closed']);
  expect(turnedAway).toEqual(['a', 'b']);
  expect([newcomers.any, used()]).toEqual([false, 0]);
});

test('when the spare sockets are in use the newest is closed', () => {
  const { arrive, states } = start();
  const servers = Array.from({ length: SPARE }, () => {
    const server = arrive('s');
    server.request();
    return server;
  });
  const one = arrive('a');
  one.request();
  const next = arrive('b');
  expect(states([...servers, one])).toEqual(Array(SPARE + 1).fill('open'));
  expect(states([next])).toEqual(['closed']);
});

test('an address that reads a body is left alone with what it has', () => {
  const { newcomers, arrive, states, used } = start();
  const posts = arrive('a');
  const other = arrive('b');
  newcomers.forget('a');
  expect(used()).toBe(1);
  for (let i = 0; i < 20; i++) arrive('b');
  expect(states([posts, other])).toEqual(['open', 'closed']);
});
