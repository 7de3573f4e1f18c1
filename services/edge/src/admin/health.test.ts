import { beforeEach, expect, test } from 'vitest';
import { BusStats } from '../bus/bus-stats.ts';
import { Health } from './health.ts';

let now: number;
let bus: BusStats;
let cluster: { isSettled: boolean };
let draining: { isOn: boolean };
let health: Health;

const isReady = (): boolean => health.whyNot === undefined;

beforeEach(() => {
  now = 0;
  bus = new BusStats();
  cluster = { isSettled: true };
  draining = { isOn: false };
  health = new Health(bus, cluster, draining, { now: () => now });
  health.isServing = true;
});

test('an edge is ready when it serves and is part of the bus', () => {
  expect(isReady()).toBe(false);
  bus.isUp = true;
  expect(isReady()).toBe(true);
  health.isServing = false;
  expect(isReady()).toBe(false);
});

test('it is for three seconds without the bus, and again with it', () => {
  bus.isUp = false;
  bus.since = now = 5_000;
  expect(isReady()).toBe(true);
  now = 7_999;
  expect(isReady()).toBe(true);
  now = 8_000;
  expect(isReady()).toBe(false);
  bus.isUp = true;
  expect(isReady()).toBe(true);
});

test('it is not before it has heard who else is there', () => {
  bus.isUp = true;
  cluster.isSettled = false;
  expect(isReady()).toBe(false);
  cluster.isSettled = true;
  expect(isReady()).toBe(true);
});

test('it is not while it drains, and says why', () => {
  bus.isUp = true;
  draining.isOn = true;
  expect(health.whyNot).toBe('it drains');
});
