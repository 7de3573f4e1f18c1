import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';

import { MessageType, type Payloads } from '@trunkline/protocol';
import {
  type BusEngine,
  FakeAppServer,
  freePort,
  startEdge,
  type StartedEdge,
} from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { HubClient } from '../edge/support/hub-client.ts';
import { metric, scrape } from '../edge/support/metrics.ts';
import { ENGINES } from './engines.ts';
import { EngineMember } from './member.ts';

const said = (text: string): Payloads =>
  new Map([
    ['json', Buffer.from(`${JSON.stringify({ type: 1, target: 'said', arguments: [text] })}\x1e`)],
  ]);
const readiness = async (edge: StartedEdge): Promise<number> =>
  (await fetch(`${edge.adminUrl}/ready`)).status;
const isReady = (edge: StartedEdge, timeout = 5_000): Promise<void> =>
  expect.poll(() => readiness(edge), { timeout }).toBe(200);

describe.each(ENGINES)('edges on $label', ({ isHere, scheme, start, login }) => {
  describe.skipIf(!isHere)('where it is', () => {
    let engine: BusEngine;
    let bus: string;

    beforeAll(async () => {
      engine = await start();
      bus = `${scheme}://${engine.host}`;
    });
    afterAll(() => engine.stop());

    it('share what app servers say to everybody, and count it', async () => {
      const args = ['--bus', bus];
      await using a = await startEdge({ args });
      await using b = await startEdge({ args });
      await Promise.all([isReady(a), isReady(b)]);
      await using server = await FakeAppServer.connect(a.url);
      await using _other = await FakeAppServer.connect(b.url);
      const client = await HubClient.connect(b.url);
      await expect
        .poll(async () => {
          const broadcast = { excludedConnectionIds: [], payloads: said('hello') };
          server.write({ type: MessageType.BroadcastData, ...broadcast });
          return client.received.all.length;
        })
        .toBeGreaterThan(0);
      expect(client.received.all[0]).toMatchObject({ target: 'said', arguments: ['hello'] });
      expect(
        await metric(b, 'trunkline_bus_messages_total', { direction: 'received' }),
      ).toBeGreaterThan(0);
      expect(
        await metric(a, 'trunkline_bus_messages_total', { direction: 'published' }),
      ).toBeGreaterThan(0);
      expect(await metric(a, 'trunkline_bus_up')).toBe(1);
      await client.close();
    });

    it('are not ready without it for three seconds, and serve their own clients all the while', async () => {
      const port = await freePort();
      await using edge = await startEdge({ args: ['--bus', `${scheme}://127.0.0.1:${port}`] });
      await using _server = await FakeAppServer.connect(edge.url);
      const client = await HubClient.connect(edge.url);
      expect(await readiness(edge)).toBe(503);
      expect((await fetch(`${edge.adminUrl}/live`)).status).toBe(200);
      await expect.poll(() => edge.output()).toContain('"bus not reached: trying again"');

      const own = await start({ port });
      onTestFinished(async () => void (await own.stop()));
      await isReady(edge);
      await own.kill();
      await expect.poll(() => metric(edge, 'trunkline_bus_up')).toBe(0);
      expect(await readiness(edge)).toBe(200);
      await expect.poll(() => readiness(edge), { timeout: 5_000 }).toBe(503);
      expect(await client.call('echo', 'still')).toBe('still');

      await using _again = await start({ port });
      await isReady(edge);
      const metrics = await scrape(edge);
      expect(metrics.value('trunkline_bus_reconnects_total')).toBe(1);
      expect(metrics.value('trunkline_bus_gaps_total', { cause: 'cut' })).toBe(1);
      await client.close();
    });

    it('stop in good time while it is frozen', { timeout: 30_000 }, async () => {
      const own = await start();
      onTestFinished(async () => void (await own.stop()));
      const edge = await startEdge({ args: ['--bus', `${scheme}://${own.host}`] });
      await isReady(edge);
      await own.freeze();
      const began = performance.now();
      expect(await edge.stop()).toEqual({ code: 0, signal: null });
      expect(performance.now() - began).toBeLessThan(3_000);
    });

    it('take its address from a file, and log no secret of it', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'trunkline-bus-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      await using own = await start({ config: login });
      const file = join(folder, 'bus');
      const user = scheme === 'nats' ? '' : ':';
      writeFileSync(file, `${scheme}://${user}hunter2@${own.host}\n`);
      await using edge = await startEdge({ env: { TRUNKLINE_BUS_FILE: file } });
      await isReady(edge);
      writeFileSync(file, `${scheme}://${user}hunter3@${own.host}\n`);
      await using wrong = await startEdge({ env: { TRUNKLINE_BUS_FILE: file } });
      await expect.poll(() => wrong.output()).toContain('"bus not reached: trying again"');
      await pass(500);
      expect(wrong.output().match(/bus not reached/g)).toHaveLength(1);
      expect(edge.output() + wrong.output()).not.toContain('hunter');
      expect(await readiness(wrong)).toBe(503);
    });

    it('have ids of their own: the younger of two with one id ends, and says why', async () => {
      const args = ['--bus', bus, '--cluster', 'twins', '--edge-id', 'twin'];
      await using first = await startEdge({ args });
      await isReady(first);
      await using second = await startEdge({ args });
      expect(await second.exited).toEqual({ code: 1, signal: null });
      expect(second.output()).toContain(
        "trunkline-edge: another edge of this cluster has the id 'twin': give each edge an --edge-id of its own",
      );
      expect(await readiness(first)).toBe(200);
    });

    it('join the cluster that they are told, under their own id', async () => {
      await using edge = await startEdge({
        args: ['--bus', bus, '--cluster', 'blue', '--edge-id', 'e.1'],
      });
      await isReady(edge);
      const [same, other] = await Promise.all([
        EngineMember.join('x', { bus, cluster: 'blue' }),
        EngineMember.join('x', { bus, cluster: 'green' }),
      ]);
      onTestFinished(async () => {
        await Promise.all([same.bus.close(), other.bus.close()]);
      });
      await expect.poll(() => same.isUp && other.isUp).toBe(true);
      for (const { bus: one } of [same, other]) one.send('e.1', Buffer.of(1));
      await expect.poll(() => other.heard).toContainEqual({ gone: 'e.1' });
      expect(same.heard).not.toContainEqual({ gone: 'e.1' });
    });
  });
});
