import { createLogger } from '@trunkline/telemetry';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualTime } from '../ports/manual-time.test-support.ts';
import { Liveness } from './liveness.ts';

/** An edge that answers unless it is frozen; what it was asked then ends with it. */
class FakeEdge {
  readonly id: string;
  adminUrl: string | undefined;
  isFrozen = false;
  readonly signals: string[] = [];
  #waiting: (() => void)[] = [];

  constructor(id: string) {
    this.id = id;
    this.adminUrl = `http://${id}`;
  }

  signal(name: string): void {
    this.signals.push(name);
  }

  ask(): Promise<void> {
    if (!this.isFrozen) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** It goes on, or its process has ended. */
  async thaw(): Promise<void> {
    this.isFrozen = false;
    for (const answer of this.#waiting.splice(0)) answer();
    await Promise.resolve();
  }
}

let time: ManualTime;
let edges: FakeEdge[];
let asked: string[];
let lines: string[];
let liveness: Liveness;

beforeEach(() => {
  time = new ManualTime();
  edges = [new FakeEdge('e-1'), new FakeEdge('e-2')];
  asked = [];
  lines = [];
  liveness = new Liveness({
    edges,
    ask: (adminUrl) => {
      asked.push(adminUrl!);
      return edges.find((edge) => edge.adminUrl === adminUrl)!.ask();
    },
    time,
    log: createLogger({ name: 'edge', level: 'info' }, { write: (line) => lines.push(line) }),
  });
});
afterEach(() => liveness.stop());

/** So many rounds, with time between them for edges to answer. */
async function rounds(count: number): Promise<void> {
  for (let round = 0; round < count; round++) {
    time.pass(2_000);
    await Promise.resolve();
  }
}

test('an edge that has owed its answer for ten seconds is killed, once, and the log says so', async () => {
  const [frozen, other] = edges as [FakeEdge, FakeEdge];
  await rounds(10);
  frozen.isFrozen = true;
  await rounds(5);
  expect(frozen.signals).toEqual([]);
  await rounds(10);
  expect(frozen.signals).toEqual(['SIGKILL']);
  expect(other.signals).toEqual([]);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({
      level: 'error',
      edgeId: 'e-1',
      silentMs: 10_000,
      msg: 'edge does not answer: killing it',
    }),
  ]);
});

test('one that answers late is not, and has ten seconds anew', async () => {
  const [edge] = edges as [FakeEdge];
  for (let time = 0; time < 3; time++) {
    edge.isFrozen = true;
    await rounds(5);
    await edge.thaw();
    await rounds(1);
  }
  expect(edge.signals).toEqual([]);
});

test('the process that comes after one that was killed is asked anew', async () => {
  const [edge] = edges as [FakeEdge];
  edge.isFrozen = true;
  await rounds(6);
  await edge.thaw();
  edge.isFrozen = true;
  await rounds(5);
  expect(edge.signals).toEqual(['SIGKILL']);
  await rounds(1);
  expect(edge.signals).toEqual(['SIGKILL', 'SIGKILL']);
});

test('one that does not listen yet is not asked', async () => {
  edges[0]!.adminUrl = undefined;
  await rounds(10);
  expect(new Set(asked)).toEqual(new Set(['http://e-2']));
});

test('time in which the parent itself stood still counts against nobody', async () => {
  const [edge] = edges as [FakeEdge];
  edge.isFrozen = true;
  await rounds(5);
  for (let sleep = 0; sleep < 5; sleep++) time.sleep(3_001);
  expect(edge.signals).toEqual([]);
  time.sleep(3_000);
  expect(edge.signals).toEqual(['SIGKILL']);
});

test('nobody is asked or killed once it has stopped', async () => {
  edges[0]!.isFrozen = true;
  await rounds(5);
  liveness.stop();
  const before = asked.length;
  await rounds(10);
  expect(edges[0]!.signals).toEqual([]);
  expect(asked).toHaveLength(before);
});
