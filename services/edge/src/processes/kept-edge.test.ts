import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { createLogger } from '@trunkline/telemetry';
import { expect, test } from 'vitest';
import { ManualTime } from '../ports/manual-time.test-support.ts';
import { KeptEdge } from './kept-edge.ts';

/** A process that ends when the test says so, whatever signal it gets. */
class FakeProcess extends EventEmitter {
  readonly connected = false;
  readonly signals: string[] = [];

  kill(signal: string): void {
    this.signals.push(signal);
  }

  end(): void {
    this.emit('exit', 0, null);
  }
}

/** An edge that runs, and whose processes end when they are told to by the test. */
function keep() {
  const time = new ManualTime();
  const child = new FakeProcess();
  const said: string[] = [];
  const edge = new KeptEdge({
    id: 'e-1',
    fork: () => child as unknown as ChildProcess,
    refused: () => {},
    time,
    log: createLogger({ name: 'edge', level: 'info' }, { write: (line) => said.push(line) }),
  });
  edge.start();
  return { time, child, edge, said };
}

test('an edge that has not ended in time is killed, and the log says so', () => {
  const { time, child, edge, said } = keep();
  edge.stop('SIGTERM', 40_000);
  time.pass(39_999);
  expect(child.signals).toEqual(['SIGTERM']);
  expect(said).toEqual([]);
  time.pass(1);
  expect(child.signals).toEqual(['SIGTERM', 'SIGKILL']);
  expect(said.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({ edgeId: 'e-1', msg: 'edge does not end: killing it' }),
  ]);
});

test('told again to end it may have less time, and never more', () => {
  const { time, child, edge } = keep();
  edge.stop('SIGTERM', 40_000);
  time.pass(5_000);
  edge.stop('SIGINT', 10_000);
  time.pass(5_000);
  edge.stop('SIGINT', 10_000);
  time.pass(4_999);
  expect(child.signals).toEqual(['SIGTERM', 'SIGINT', 'SIGINT']);
  time.pass(1);
  expect(child.signals).toEqual(['SIGTERM', 'SIGINT', 'SIGINT', 'SIGKILL']);
});

test('one that ends in time is neither killed nor started again', async () => {
  const { time, child, edge, said } = keep();
  edge.stop('SIGTERM', 40_000);
  child.end();
  await edge.ended;
  time.pass(60_000);
  expect(child.signals).toEqual(['SIGTERM']);
  expect(said).toEqual([]);
  expect(edge).toMatchObject({ isAlive: false, restarts: 0 });
});

test('one that is about to be started again is not, once it is to end', async () => {
  const { time, child, edge } = keep();
  child.end();
  await expect.poll(() => edge.isAlive).toBe(false);
  edge.stop('SIGTERM', 40_000);
  await edge.ended;
  time.pass(60_000);
  expect(edge).toMatchObject({ isAlive: false, restarts: 0 });
});
