import { FakeAppServer, startEdge } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { expectAlive } from './support/alive.ts';
import { HttpConnection } from './support/http-connection.ts';
import { HubClient } from './support/hub-client.ts';
import { metric } from './support/metrics.ts';
import { negotiate, type Negotiated } from './support/negotiate.ts';
import { frame, Opcode, RawSocket } from './support/raw-socket.ts';
import { StreamClient } from './support/request-clients.ts';
import { userToken } from './support/tokens.ts';

/** More clients than there are files to open: each is told so, and those that are in stay in. */

const OPEN_FILES = 400;
const CLIENTS = 450;

let edge: Awaited<ReturnType<typeof startEdge>>;
let server: FakeAppServer;
let limit: number;
let before: number;

beforeAll(async () => {
  edge = await startEdge({ openFiles: OPEN_FILES });
  server = await FakeAppServer.connect(edge.url);
  limit = await metric(edge, 'trunkline_open_sockets_limit');
  before = await metric(edge, 'trunkline_open_sockets');
});
afterAll(async () => {
  await server.close();
  await edge.stop();
});

const path = (negotiated: Negotiated | undefined): string =>
  `/client/?hub=chat${negotiated === undefined ? '' : `&id=${negotiated.connectionToken}`}`;

/** Opens as many WebSockets at once as there are ids, and gives those that are open. */
async function storm(ids: readonly (Negotiated | undefined)[]): Promise<RawSocket[]> {
  const headers = { Authorization: `Bearer ${userToken('chat', 'ann')}` };
  const open: RawSocket[] = [];
  await Promise.all(
    ids.map(async (negotiated) => {
      const socket = new RawSocket(edge.url);
      const answer = await socket.upgrade(path(negotiated), headers);
      if (answer.status.startsWith('HTTP/1.1 101')) return void open.push(socket);
      expect(answer.status).toBe('HTTP/1.1 503 Service Unavailable');
      expect(answer.headers.get('retry-after')).toBe('1');
      await socket.ended;
      socket[Symbol.dispose]();
    }),
  );
  return open;
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
  it('fill the edge, and are refused in words beyond', async () => {
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
    for (const [method, path, accept] of [
      ['POST', '/client/negotiate?hub=chat', '*/*'],
      ['GET', early.path, '*/*'],
      ['GET', early.path, 'text/event-stream'],
    ] as const) {
      using socket = new RawSocket(edge.url);
      const headers = { Authorization: `Bearer ${negotiated.accessToken}`, Accept: accept };
      socket.request(method, path, headers);
      const answer = await socket.answer();
      expect(answer.status).toBe('HTTP/1.1 503 Service Unavailable');
      expect(answer.headers.get('retry-after')).toBe('1');
    }
    // When they leave there is room again.
    for (const socket of open) socket[Symbol.dispose]();
    await expect.poll(() => metric(edge, 'trunkline_open_sockets')).toBeLessThan(limit);
    await expectAlive(edge);
  }, 40_000);
});

it('counts no socket that is gone', async () => {
  await expect.poll(() => metric(edge, 'trunkline_open_sockets'), { timeout: 15_000 }).toBe(before);
});
