import { connect, type Socket } from 'node:net';
import { setTimeout as pass } from 'node:timers/promises';

import { FakeAppServer } from '@trunkline/testing';
import { describe, expect, it } from 'vitest';

import { expectAlive } from './support/alive.ts';
import { HttpConnection } from './support/http-connection.ts';
import { HubClient } from './support/hub-client.ts';
import { metric } from './support/metrics.ts';
import { negotiate, type Negotiated } from './support/negotiate.ts';
import { frame, Opcode, RawSocket } from './support/raw-socket.ts';
import { StreamClient } from './support/request-clients.ts';
import { sharedEdge } from './support/shared-edge.ts';
import { userToken } from './support/tokens.ts';

/** More clients than there are files to open: each is told so, and those that are in stay in. */

const OPEN_FILES = 400;
const CLIENTS = 450;
/** Of the sockets beyond the limit that have said nothing yet, those of one address. */
const SHARE = 32;
const SILENT = 1_500;

const { edge } = await sharedEdge({ openFiles: OPEN_FILES });
const limit = await metric(edge, 'trunkline_open_sockets_limit');
const before = await metric(edge, 'trunkline_open_sockets');

const path = (negotiated: Negotiated | undefined): string =>
  `/client/?hub=chat${negotiated === undefined ? '' : `&id=${negotiated.connectionToken}`}`;

/** Opens as many WebSockets at once as there are ids, and gives those that are open. */
async function storm(ids: readonly (Negotiated | undefined)[]): Promise<RawSocket[]> {
  const headers = { Authorization: `Bearer ${userToken('chat', 'ann')}` };
  const open: RawSocket[] = [];
  let words = 0;
  await Promise.all(
    ids.map(async (negotiated) => {
      const socket = new RawSocket(edge.url);
      const answer = await Promise.race([socket.upgrade(path(negotiated), headers), socket.ended]);
      // Too many at once from one address: those that the edge has not heard yet are cut.
      if (!answer) return socket[Symbol.dispose]();
      words += 1;
      if (answer.status.startsWith('HTTP/1.1 101')) return void open.push(socket);
      expect(answer.status).toBe('HTTP/1.1 503 Service Unavailable');
      expect(answer.headers.get('retry-after')).toBe('1');
      await socket.ended;
      socket[Symbol.dispose]();
    }),
  );
  if (ids.length <= SHARE && words < ids.length) throw new Error('closed without a word');
  return open;
}

/** Sockets without a word, and more of them at will. */
async function silentCrowd(localAddress: string) {
  const { hostname, port } = new URL(edge.url);
  const sockets: Socket[] = [];
  const press = async (count: number): Promise<void> => {
    const come = Array.from({ length: count }, async () => {
      const socket = connect({ host: hostname, port: Number(port), localAddress });
      sockets.push(socket.on('error', () => {}));
      await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
    });
    await Promise.all(come);
  };
  for (let n = 0; n < SILENT; n += 100) await press(100);
  return {
    press,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await expect.poll(() => metric(edge, 'trunkline_open_sockets')).toBeLessThan(limit / 2);
    },
  };
}

async function within(ms: number, act: () => Promise<void>): Promise<void> {
  const start = performance.now();
  await act();
  expect(performance.now() - start).toBeLessThan(ms);
}

describe.each<[string, () => Promise<(Negotiated | undefined)[]>]>([
  ['that have no id', async () => Array.from({ length: CLIENTS }, () => undefined)],
  [
    'that have negotiated before',
    async () => {
      const ids: Negotiated[] = [];
      while (ids.length < CLIENTS) ids.push(await negotiate(edge.url, { userId: 'ann' }));
      return ids;
    },
  ],
])('clients %s', (_name, prepare) => {
  it('fill the edge, and are refused beyond, in words unless they come all at once', async () => {
    const ids = await prepare();
    await using known = await HubClient.connect(edge.url);
    await using reader = await StreamClient.connect(edge.url);
    const early = await HttpConnection.negotiate(edge.url);
    const refused = await metric(edge, 'trunkline_refusals_total', { reason: 'open_files' });
    const open = await storm(ids);
    expect(open.length).toBeGreaterThan(limit / 2);
    expect(open.length).toBeLessThanOrEqual(limit);
    expect(await metric(edge, 'trunkline_refusals_total', { reason: 'open_files' })).toBe(
      refused + CLIENTS - open.length,
    );
    // App servers, scrapes and who is in already go on; others hear to come later.
    await using another = await FakeAppServer.connect(edge.url, { hub: 'other' });
    expect(another.hub).toBe('other');
    for (const client of [known, reader]) expect(await client.call('echo', 1)).toBe(1);
    const first = open[0]!;
    first.write(frame(Opcode.Ping, ''));
    await first.frames.first(({ opcode }) => opcode === Opcode.Pong, 'the pong');
    // Connections kept for further requests may have gone meanwhile: their places are taken.
    open.push(...(await storm(Array.from({ length: 20 }, () => undefined))));
    const { negotiated } = early;
    for (const [method, path, accept, status] of [
      ['POST', '/client/negotiate?hub=chat', '*/*', '503 Service Unavailable'],
      ['GET', early.path, '*/*', '503 Service Unavailable'],
      ['GET', early.path, 'text/event-stream', '404 Not Found'],
    ] as const) {
      using socket = new RawSocket(edge.url);
      const headers = { Authorization: `Bearer ${negotiated.accessToken}`, Accept: accept };
      socket.request(method, path, headers);
      const answer = await socket.answer();
      expect(answer.status).toBe(`HTTP/1.1 ${status}`);
      expect(answer.headers.get('retry-after')).toBe('1');
    }
    // When they leave there is room again.
    for (const socket of open) socket[Symbol.dispose]();
    await expect.poll(() => metric(edge, 'trunkline_open_sockets')).toBeLessThan(limit);
    await expectAlive(edge);
  }, 40_000);
});

describe('1,500 sockets that say nothing', () => {
  it.each(['127.0.0.1', '127.0.0.2'])(
    '(from %s) keep nobody out but clients',
    async (address) => {
      await using known = await HubClient.connect(edge.url);
      const refused = await metric(edge, 'trunkline_refusals_total', { reason: 'open_files' });
      await using crowd = await silentCrowd(address);
      expect(await metric(edge, 'process_open_fds')).toBeLessThan(OPEN_FILES);
      const turnedAway = await metric(edge, 'trunkline_refusals_total', { reason: 'open_files' });
      expect(turnedAway - refused).toBeGreaterThan(SILENT - OPEN_FILES);
      const cpu = await metric(edge, 'process_cpu_seconds_total');
      const start = performance.now();
      for (let round = 0; round < 5; round++) {
        await crowd.press(100);
        await within(1_000, async () => {
          expect((await fetch(`${edge.url}/api/health`)).status).toBe(200);
          expect((await fetch(`${edge.adminUrl}/live`)).status).toBe(200);
        });
        await within(2_000, async () => {
          await using another = await FakeAppServer.connect(edge.url, { hub: `silent${round}` });
          expect(another.hub).toBe(`silent${round}`);
        });
        expect(await known.call('echo', round)).toBe(round);
      }
      // While the crowd is there and does nothing, neither does the edge.
      await pass(Math.max(0, 3_000 - (performance.now() - start)));
      const used = (await metric(edge, 'process_cpu_seconds_total')) - cpu;
      expect(used / ((performance.now() - start) / 1000)).toBeLessThan(0.5);
    },
    40_000,
  );

  it('leave the posts of clients alone that are in', async () => {
    await using reader = await StreamClient.connect(edge.url);
    await using crowd = await silentCrowd('127.0.0.1');
    for (let round = 0; round < 20; round++) {
      await crowd.press(20);
      expect(await reader.call('echo', round)).toBe(round);
    }
  }, 40_000);
});

it('counts no socket that is gone', async () => {
  await expect.poll(() => metric(edge, 'trunkline_open_sockets'), { timeout: 15_000 }).toBe(before);
});
