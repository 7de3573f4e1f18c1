import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { HEAP_FLAGS, keepHeapSmall } from './heap.ts';
import { ManualTime } from './ports/manual-time.test-support.ts';

const MIB = 1024 * 1024;
const SMALL = 80 * MIB;
const LARGE = SMALL + 17 * MIB;
const [GIVE_BACK, KEEP] = ['--optimize-for-size', '--no-optimize-for-size'];

function started() {
  const time = new ManualTime();
  let state = { load: 0, bytes: SMALL };
  const set: string[] = [];
  const flags = (): string[] => set.splice(0);
  const end = keepHeapSmall(time, {
    load: () => state.load,
    residentBytes: () => state.bytes,
    setFlag: (flag) => void set.push(flag),
  });
  const atStart = flags();
  /** Flags set while it is like that for so many seconds. */
  const look = (bytes: number, load = 0, seconds = 1): string[] => {
    state = { load, bytes };
    time.pass(seconds * 1_000);
    return flags();
  };
  return { atStart, look, end };
}

it('has a small young generation from the start', () => {
  expect(started().atStart).toEqual(['--semi-space-growth-factor=1', '--no-parallel-scavenge']);
});

it('has V8 give back what a peak has left, once it is quiet, until it is as small as before', () => {
  const { look } = started();
  expect(look(SMALL, 0.1, 10)).toEqual([]);
  expect(look(LARGE, 0.31, 10)).toEqual([]);
  expect(look(LARGE, 0.3, 2)).toEqual([]);
  expect(look(LARGE, 0.3)).toEqual([GIVE_BACK]);
  expect(look(LARGE, 0.3, 5)).toEqual([]);
  expect(look(SMALL, 0.3)).toEqual([KEEP]);
  expect(look(SMALL, 0.3, 100)).toEqual([]);
  expect(look(LARGE, 0, 1)).toEqual([GIVE_BACK]);
});

it('waits for three quiet seconds in a row', () => {
  const { look } = started();
  look(SMALL);
  for (let n = 0; n < 5; n++) {
    expect(look(LARGE, 0.5)).toEqual([]);
    expect(look(LARGE, 0, 2)).toEqual([]);
  }
});

it('leaves V8 alone while there is little to give back', () => {
  const { look } = started();
  look(SMALL);
  expect(look(SMALL + 16 * MIB, 0, 100)).toEqual([]);
});

it('takes what is held after 20 s for in use', () => {
  const { look } = started();
  look(SMALL, 0, 3);
  expect(look(LARGE)).toEqual([GIVE_BACK]);
  expect(look(LARGE, 0, 19)).toEqual([]);
  expect(look(LARGE)).toEqual([KEEP]);
  expect(look(LARGE, 0, 100)).toEqual([]);
  expect(look(LARGE + 17 * MIB)).toEqual([GIVE_BACK]);
});

it('breaks off when there is work, and goes on after it for what is left of its time', () => {
  const { look } = started();
  look(SMALL, 0, 3);
  expect(look(LARGE)).toEqual([GIVE_BACK]);
  expect(look(LARGE, 0, 11)).toEqual([]);
  expect(look(LARGE, 0.9)).toEqual([KEEP]);
  expect(look(LARGE, 0.9, 10)).toEqual([]);
  expect(look(LARGE, 0, 3)).toEqual([GIVE_BACK]);
  expect(look(LARGE, 0, 7)).toEqual([]);
  expect(look(LARGE)).toEqual([KEEP]);
  expect(look(LARGE, 0, 100)).toEqual([]);
});

it('does not take the collecting itself for work', () => {
  const { look } = started();
  look(SMALL, 0, 3);
  expect(look(LARGE)).toEqual([GIVE_BACK]);
  expect(look(LARGE, 0.7, 3)).toEqual([]);
  expect(look(LARGE, 0.71, 0.1)).toEqual([KEEP]);
});

it('has all of its time again for a peak that comes after it was back, or on top of the one before', () => {
  for (const [between, next] of [
    [SMALL, LARGE],
    [LARGE, LARGE + 17 * MIB],
  ] as const) {
    const { look } = started();
    look(SMALL, 0, 3);
    expect(look(LARGE)).toEqual([GIVE_BACK]);
    expect(look(LARGE, 0, 18)).toEqual([]);
    expect(look(between, 0.9)).toEqual([KEEP]);
    expect(look(next, 0, 3)).toEqual([GIVE_BACK]);
    expect(look(next, 0, 19)).toEqual([]);
    expect(look(next)).toEqual([KEEP]);
  }
});

it('goes on until half of what it would begin for is gone, and holds the next peak to the same', () => {
  const { look } = started();
  look(SMALL, 0, 3);
  expect(look(SMALL + 60 * MIB)).toEqual([GIVE_BACK]);
  expect(look(SMALL + 9 * MIB, 0, 5)).toEqual([]);
  expect(look(SMALL + 8 * MIB)).toEqual([KEEP]);
  expect(look(SMALL + 16 * MIB, 0, 100)).toEqual([]);
  expect(look(SMALL + 17 * MIB)).toEqual([GIVE_BACK]);
});

it('looks no more once ended', () => {
  const { look, end } = started();
  look(SMALL, 0, 3);
  end();
  expect(look(LARGE, 0, 10)).toEqual([]);
});

it('uses flags that V8 has', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--v8-options']);
  const listed = HEAP_FLAGS.map((flag) => flag.replace('--no-', '--').replace(/=.*/, ''));
  expect(listed.filter((flag) => !stdout.includes(`${flag} `))).toEqual([]);
});
