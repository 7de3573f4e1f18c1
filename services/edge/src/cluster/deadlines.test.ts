import { AckStatus } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { DONE } from '../model/asker.ts';
import { Pools } from '../pools.ts';
import { ManualTime } from '../ports/manual-time.test-support.ts';
import { Asking } from './asking.ts';
import { ClusterStats } from './cluster-stats.ts';

let time: ManualTime;
let asking: Asking;
/** What each was told, by its name. */
let told: Record<string, number>;
/** When the edge that is asked counts as gone. */
let goneAt: number;

beforeEach(() => {
  time = new ManualTime();
  goneAt = Infinity;
  asking = new Asking(new Pools(), new ClusterStats(), time, (now) => {
    if (now >= goneAt) asking.edgeLost('b');
  });
  told = {};
});

/** Answers the number of the question. */
function ask(name: string): number {
  let number = 0;
  const asker = { settle: ({ status }: { status: number }) => void (told[name] = status) };
  asking.ask('chat', ['b'], 'anyFound', asker, 3_000, (_edge, question) => (number = question));
  return number;
}

describe('whoever asks an edge that does not answer', () => {
  test('waits for three seconds, each, and a quarter of one at most', () => {
    ask('first');
    time.pass(100);
    ask('second');
    time.pass(2_899);
    expect(told).toEqual({});
    time.pass(1);
    expect(told).toEqual({ first: AckStatus.Timeout });
    time.pass(250);
    expect(told).toEqual({ first: AckStatus.Timeout, second: AckStatus.Timeout });
    time.pass(10_000);
    ask('third');
    time.pass(3_000);
    expect(told).toHaveProperty('third', AckStatus.Timeout);
  });

  test('is told that nobody has it when that edge counts as gone just then', () => {
    goneAt = time.now() + 3_000;
    ask('first');
    time.pass(3_000);
    expect(told).toEqual({ first: AckStatus.NotFound });
  });

  test('is not told so because its own edge slept', () => {
    const number = ask('first');
    time.pass(1_000);
    // Seen from here, who was not heard in that time would count as gone.
    goneAt = time.now() + 3_000;
    time.sleep(20_000);
    expect(told).toEqual({});
    asking.answered(number, 'b', DONE);
    expect(told).toEqual({ first: AckStatus.Ok });
  });

  test('is told nothing by an edge that has gone', () => {
    ask('first');
    asking.close();
    time.pass(10_000);
    expect(told).toEqual({});
  });
});
