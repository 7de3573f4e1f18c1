import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { LoadGenerator, startEdge, startProcess } from '@trunkline/testing';
import { expect, it, onTestFinished, vi } from 'vitest';

import { SETTLE_ARGS, settledBytes } from '../bench/process-usage.ts';
import { progress } from '../bench/progress.ts';
import { newTokens } from '../bench/tokens.ts';
import { scrape } from '../edge/support/metrics.ts';
import type { Report } from './order-keeper.ts';

const KEEPER = fileURLToPath(new URL('./order-keeper.ts', import.meta.url));
/** How many calls; `TRUNKLINE_EVENTS` says otherwise, and then what goes on is shown. */
const FEW = 4_000;
const EVENTS = Number(process.env['TRUNKLINE_EVENTS'] ?? FEW);
const SHOWS = process.env['TRUNKLINE_EVENTS'] !== undefined;
const CLIENTS = 100;
const OUTSTANDING = 4;
/** Clients call for so long, then it is looked at what has become of it. */
const STRETCH_SECONDS = Math.min(10, EVENTS / FEW);
const PATIENCE_MS = 30_000;
/** Of the edge, beyond what it needs when it has just begun: what it keeps of events is nothing. */
const GROWTH_BYTES = 100 * 1024 * 1024;
const MIB = 1024 * 1024;
/** A busy machine does several hundred a second. */
const TEST_MS = 120_000 + EVENTS * 5;

async function start() {
  const keeper = await startProcess(process.execPath, [KEEPER], {
    name: 'upstream',
    ipc: true,
    ready: (line) => /^listening on (.+)$/.exec(line)?.[1],
  });
  onTestFinished(async () => void (await keeper.stop()));
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-events-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const config = join(folder, 'edge.json');
  const upstream = [{ urlTemplate: `${keeper.ready}/{event}` }];
  writeFileSync(config, JSON.stringify({ hubs: { bench: { upstream } } }));
  const edge = await startEdge({ args: ['--config', config], nodeArgs: SETTLE_ARGS });
  onTestFinished(async () => void (await edge.stop()));
  const load = await LoadGenerator.start(edge.url);
  onTestFinished(() => load.stop());
  const report = async (): Promise<Report> => {
    const answered = once(keeper.child, 'message');
    keeper.child.send('report');
    return ((await answered) as [Report])[0];
  };
  return { edge, load, report };
}

it(
  `${EVENTS} calls of ${CLIENTS} clients reach their upstream in the order of each`,
  async () => {
    const { edge, load, report } = await start();
    await load.do('connect', { tokens: newTokens(CLIENTS), concurrency: CLIENTS }, PATIENCE_MS);
    const before = await settledBytes(edge.pid);
    const say = async (calls: number, seconds: number, violations: number): Promise<void> => {
      if (!SHOWS) return;
      const memory = ((await settledBytes(edge.pid)) / MIB).toFixed(1);
      const rate = Math.round(calls / seconds);
      progress(`${calls} calls, ${rate} a second, ${violations} out of order, ${memory} MiB`);
    };
    await say(0, 1, 0);
    let calls = 0;
    let seconds = 0;
    while (calls < EVENTS) {
      const command = { outstanding: OUTSTANDING, seconds: STRETCH_SECONDS };
      const ran = await load.do('echoFlatOut', command, STRETCH_SECONDS * 1000 + PATIENCE_MS);
      calls += ran.echoes;
      seconds += ran.seconds;
      const { violations, examples } = await report();
      await say(calls, seconds, violations);
      expect(examples).toEqual([]);
    }
    const after = await settledBytes(edge.pid);
    await load.do('close', {}, PATIENCE_MS);
    await vi.waitUntil(async () => (await report()).connections === 0, PATIENCE_MS);
    // Each is told of once: a call never twice, and the coming and going of each client.
    expect(await report()).toEqual({
      events: calls + 2 * CLIENTS,
      connections: 0,
      violations: 0,
      examples: [],
    });
    const metrics = await scrape(edge);
    expect(metrics.value('trunkline_pool_used', { pool: 'upstream_events' })).toBe(0);
    expect(after - before).toBeLessThan(GROWTH_BYTES);
  },
  TEST_MS,
);
