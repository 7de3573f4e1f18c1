import { beforeEach, expect, test } from 'vitest';
import { ManualTime } from './manual-time.test-support.ts';

let time: ManualTime;
let start: number;
/** What has run, and how many milliseconds after the start. */
let ran: [string, number][];

beforeEach(() => {
  time = new ManualTime();
  start = time.now();
  ran = [];
});

const note = (name: string) => (): void => void ran.push([name, time.now() - start]);

test('what is due runs at its time, in order, once or again and again until it is ended', () => {
  const end = time.every(100, note('every'));
  time.after(150, note('after'));
  time.after(50, () => time.after(50, note('nested')));
  time.after(70, note('ended'))();
  time.pass(199);
  expect(ran).toEqual([
    ['every', 100],
    ['nested', 100],
    ['after', 150],
  ]);
  time.pass(1);
  end();
  time.pass(1000);
  expect(ran.at(-1)).toEqual(['every', 200]);
});

test('turns end when they are told to, each for what was asked for before its end', () => {
  time.endOfTurn(() => {
    note('first')();
    time.endOfTurn(note('second'));
  });
  time.endTurn();
  expect(ran).toEqual([['first', 0]]);
  time.endTurn();
  expect(ran).toEqual([
    ['first', 0],
    ['second', 0],
  ]);
});

test('turns end by themselves as time passes, before anything that is due later', () => {
  time.after(10, () => time.endOfTurn(note('end')));
  time.after(20, note('later'));
  time.pass(20);
  expect(ran).toEqual([
    ['end', 10],
    ['later', 20],
  ]);
});

test('after a sleep everything that was due runs, once', () => {
  time.every(100, note('every'));
  time.after(150, note('after'));
  time.sleep(1000);
  time.pass(100);
  expect(ran).toEqual([
    ['every', 1000],
    ['after', 1000],
    ['every', 1100],
  ]);
});
