import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { UpgradePace } from './upgrade-pace.ts';
import type { UpgradeDoor } from './uws-upgrade.ts';

const request = {} as Parameters<UpgradeDoor>[0];
const upgrade = {} as Parameters<UpgradeDoor>[1];

let now: number;
/** Who has been at the door, `!` behind those that were kept for later. */
let asked: string[];
let pace: UpgradePace;

beforeEach(() => {
  now = 0;
  asked = [];
  // Each looks at the clock for itself, so that a door takes 1.2 ms.
  pace = new UpgradePace(
    () => void (now += 1.2),
    () => now,
  );
});

/** A request for a WebSocket; `hasGone`: its peer goes before it is asked for again. */
function knock(name: string, { mustWait = false, hasGone = false } = {}): void {
  const ask = (door: UpgradeDoor, label: string): void => {
    asked.push(label);
    door(request, upgrade);
  };
  pace.ask(
    {
      ask: (door) => ask(door, name),
      kept: (door) => () => {
        if (!hasGone) ask(door, `${name}!`);
      },
    },
    mustWait,
  );
}

describe('requests for WebSockets', () => {
  test('are at the door at once, until 3 ms of the turn are over; the others in later turns', async () => {
    for (const name of 'abcdefgh') knock(name);
    expect(asked.join(' ')).toBe('a b c');
    await turn();
    expect(asked.join(' ')).toBe('a b c d! e! f!');
    // Behind those that wait.
    knock('i');
    await turn();
    expect(asked.join(' ')).toBe('a b c d! e! f! g! h! i!');
    await turn();
    await turn();
    knock('j');
    expect(asked.at(-1)).toBe('j');
  });

  test('wait until their turn is over where they have to', async () => {
    knock('a', { mustWait: true });
    expect(asked).toEqual([]);
    await turn();
    expect(asked).toEqual(['a!']);
  });

  test('of peers that have gone meanwhile are no work', async () => {
    for (const name of 'abc') knock(name);
    for (const name of 'defg') knock(name, { hasGone: true });
    knock('h');
    await turn();
    expect(asked.join(' ')).toBe('a b c h!');
  });
});
