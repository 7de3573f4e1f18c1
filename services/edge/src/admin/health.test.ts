import { beforeEach, expect, test } from 'vitest';
import { BusStats } from '../bus/bus-stats.ts';
import { Health } from './health.ts';

let now: number;
let bus: BusStats;
let cluster: { isSettled: boolean };
let health: Health;

beforeEach(() => {
  now = 0;
  bus = new BusStats();
  cluster = { isSettled: true };
  health = new Health(bus, cluster, { now: () => now });
  health.isServing = true;
});

test('an edge is ready when it serves and is part of the bus', () => {
  expect(health.ready).toBe(false);
  bus.isUp = true;
  expect(health.ready).toBe(true);
  health.isServing = false;
  expect(health.ready).toBe(false);
});

test('it is for three seconds without the bus, and again with it', () => {
  bus.isUp = false;
  bus.since = now = 5_000;
  expect(health.ready).toBe(true);
  now = 7_999;
  expect(health.ready).toBe(true);
  now = 8_000;
  expect(health.ready).toBe(false);
  bus.isUp = true;
  expect(health.ready).toBe(true);
});

test('it is not before it has heard who else is there', () => {
  bus.isUp = true;
  cluster.isSettled = false;
  expect(health.ready).toBe(false);
  cluster.isSettled = true;
  expect(health.ready).toBe(true);
});
