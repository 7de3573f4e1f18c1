import { freeze, LoadGenerator, preciseNow } from '@trunkline/testing';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';

import { type Side, startBareSide } from './side.ts';
import { newTokens } from './tokens.ts';

const TIMEOUT_MS = 5_000;
const CLIENTS = 10;

describe('LoadGenerator', () => {
  let side: Side | undefined;

  /** A bare server with all clients connected. */
  async function start(work: 'echo' | 'publish'): Promise<Side> {
    side = await startBareSide(work);
    await side.load.do('connect', { tokens: newTokens(CLIENTS), concurrency: 3 }, TIMEOUT_MS);
    return side;
  }

  afterEach(() => side?.stop());

  it('keeps echo calls under way for the time it is given', async () => {
    const { load } = await start('echo');
    const run = await load.do('echoFlatOut', { outstanding: 2, seconds: 0.2 }, TIMEOUT_MS);
    expect(run.seconds).toBeGreaterThanOrEqual(0.2);
    expect(run.echoes).toBeGreaterThan(2 * CLIENTS);
    expect(run.p99Microseconds).toBeGreaterThanOrEqual(run.p50Microseconds);
  });

  it('sends as many paced calls as were asked for', async () => {
    const { load } = await start('echo');
    const run = await load.do('echoPaced', { perSecond: 1_000, seconds: 0.3 }, TIMEOUT_MS);
    expect(run.echoes).toBe(300);
    expect(run.seconds).toBeGreaterThan(0.29);
  });

  it('says when messages have come that others have sent, before it is asked to or after', async () => {
    const { load } = await start('publish');
    const other = await LoadGenerator.start(load.url);
    onTestFinished(() => other.stop());
    await other.do('connect', { tokens: newTokens(1), concurrency: 1 }, TIMEOUT_MS);
    await load.do('noteArrivals', {}, TIMEOUT_MS);
    const since = preciseNow();
    await other.do('broadcasts', { seconds: 0 }, TIMEOUT_MS);
    const all = load.do('arrivals', { messages: 2 * CLIENTS }, TIMEOUT_MS);
    await other.do('broadcasts', { seconds: 0 }, TIMEOUT_MS);
    const times = await all;
    expect(times.length).toBe(2 * CLIENTS);
    for (const time of times) {
      expect(time).toBeGreaterThan(since);
      expect(time).toBeLessThan(preciseNow());
    }
  });

  it('counts whole broadcasts, each after the one before', async () => {
    const { load } = await start('publish');
    const run = await load.do('broadcasts', { seconds: 0.1 }, TIMEOUT_MS);
    expect(run.deliveries).toBeGreaterThan(CLIENTS);
    expect(run.deliveries % CLIENTS).toBe(0);
  });

  it('hears what others have sent, before it is asked to or after', async () => {
    const { load } = await start('publish');
    const other = await LoadGenerator.start(load.url);
    onTestFinished(() => other.stop());
    await other.do('connect', { tokens: newTokens(1), concurrency: 1 }, TIMEOUT_MS);
    const hearing = load.do('hear', { messages: CLIENTS }, TIMEOUT_MS);
    await other.do('broadcasts', { seconds: 0 }, TIMEOUT_MS);
    await hearing;
    await other.do('broadcasts', { seconds: 0, burst: 2 }, TIMEOUT_MS);
    const heard = load.do('hear', { messages: 2 * CLIENTS }, TIMEOUT_MS);
    await expect(heard).resolves.toBeUndefined();
  });

  it('lets clients leave and others come', async () => {
    const { load } = await start('echo');
    await load.do('close', {}, TIMEOUT_MS);
    await load.do('connect', { tokens: newTokens(3), concurrency: 3 }, TIMEOUT_MS);
    const run = await load.do('echoPaced', { perSecond: 100, seconds: 0.1 }, TIMEOUT_MS);
    expect(run.echoes).toBe(10);
  });

  it('fails when the server answers what it was not asked', async () => {
    const { load } = await start('publish');
    const run = load.do('echoFlatOut', { outstanding: 1, seconds: 1 }, TIMEOUT_MS);
    await expect(run).rejects.toThrow('an answer to call -1, which is not due');
  });

  it('fails when the server cannot keep the pace', async () => {
    const { load, serverPid } = await start('echo');
    await freeze(serverPid);
    const run = load.do('echoPaced', { perSecond: 100_000, seconds: 1 }, TIMEOUT_MS);
    await expect(run).rejects.toThrow('call 1 has not been answered, 257 is due');
    process.kill(serverPid, 'SIGCONT');
  });

  it('fails when a client is lost, then and from then on', async () => {
    const { load, serverPid } = await start('echo');
    process.kill(serverPid, 'SIGKILL');
    const run = load.do('echoPaced', { perSecond: 10, seconds: 60 }, TIMEOUT_MS);
    await expect(run).rejects.toThrow('a client was lost: ');
    const late = load.do('connect', { tokens: newTokens(1), concurrency: 1 }, TIMEOUT_MS);
    await expect(late).rejects.toThrow('a client was lost: ');
  });
});
