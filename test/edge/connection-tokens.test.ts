import { describe, expect, it, vi } from 'vitest';

import { HttpConnection } from './support/http-connection.ts';
import { metric } from './support/metrics.ts';
import type { TransportLabel } from './support/request-clients.ts';
import { PollClient, StreamClient, TRANSPORT_LABELS } from './support/request-clients.ts';
import { sharedEdge } from './support/shared-edge.ts';
import { takeUp } from './support/take-up.ts';
import { userToken } from './support/tokens.ts';

/** A connection token is good once, for its user and hub, for 15 seconds. */

const { edge } = await sharedEdge();

const OPEN = { webSockets: 101, serverSentEvents: 200, longPolling: 200 } as const;
const UNKNOWN = { status: 404, body: 'No Connection with that ID' };

const negotiated = (version: 0 | 1 = 1): Promise<HttpConnection> =>
  HttpConnection.negotiate(edge.url, { userId: 'ann', version });

const CONNECT_MS = 15_000;

it('is good for 15 seconds, and for as long as its connection lives', async () => {
  const everyWay = (): Promise<(readonly [TransportLabel, HttpConnection])[]> => {
    const ways = TRANSPORT_LABELS.flatMap((transport) =>
      [negotiated(0), negotiated(1)].map((id) => [transport, id] as const),
    );
    return Promise.all(ways.map(async ([transport, id]) => [transport, await id]));
  };
  const clients = [await StreamClient.connect(edge.url), await PollClient.connect(edge.url)];
  const [inTime, late] = [await everyWay(), await everyWay()];
  const started = performance.now();
  const past = (ms: number): Promise<void> =>
    vi.waitFor(() => expect(performance.now() - started).toBeGreaterThan(ms), {
      timeout: 20_000,
      interval: 100,
    });
  await past(CONNECT_MS - 3_000);
  for (const [transport, connection] of inTime) {
    await using taken = await takeUp(edge.url, transport, connection);
    expect([transport, taken.status]).toEqual([transport, OPEN[transport]]);
  }
  // It says when in whole seconds.
  await past(CONNECT_MS + 1_000);
  for (const [transport, connection] of late) {
    expect(await takeUp(edge.url, transport, connection)).toMatchObject(UNKNOWN);
    expect((await connection.post('x')).status).toBe(404);
  }
  for (const client of clients) {
    expect(await client.call('echo', 'on')).toBe('on');
    await client.close();
  }
}, 30_000);

it('opens one connection, by one transport, for who knocks with it at all doors at once', async () => {
  for (const version of [0, 1] as const) {
    const connection = await negotiated(version);
    const knocks = TRANSPORT_LABELS.map(async (transport) => {
      const taken = await takeUp(edge.url, transport, connection);
      return { taken, open: taken.status === OPEN[transport] };
    });
    const answers = await Promise.all(knocks);
    expect(answers.filter(({ open }) => open)).toHaveLength(1);
    const refused = answers.filter(({ open }) => !open).map(({ taken }) => taken.status);
    expect(refused).toEqual([400, 400]);
    for (const { taken } of answers) await taken[Symbol.asyncDispose]();
  }
});

describe.each(TRANSPORT_LABELS)('by %s', (transport) => {
  it.each([0, 1] as const)('an id of version %s connects once', async (version) => {
    const connection = await negotiated(version);
    const first = await takeUp(edge.url, transport, connection);
    expect(first.status).toBe(OPEN[transport]);
    for (const other of TRANSPORT_LABELS) {
      // One that polls goes on polling with it.
      if (transport === 'longPolling' && other === transport) continue;
      const again = await takeUp(edge.url, other, connection);
      expect([other, again.status]).toEqual([other, other === transport ? 409 : 400]);
    }
    const open = { hub: 'chat', transport };
    expect(await metric(edge, 'trunkline_client_connections', open)).toBe(1);
    await first[Symbol.asyncDispose]();
    await expect.poll(() => metric(edge, 'trunkline_client_connections', open)).toBe(0);
    expect(await takeUp(edge.url, transport, connection)).toMatchObject(UNKNOWN);
  });

  it.each([0, 1] as const)("an id of version %s is no other user or hub's", async (version) => {
    const connection = await negotiated(version);
    const others = [
      { token: userToken('chat', 'eve') },
      { token: userToken('chat', undefined) },
      { token: userToken('chat', 'ANN') },
      { token: userToken('chat2', 'ann'), hub: 'chat2' },
    ];
    for (const other of others) {
      expect(await takeUp(edge.url, transport, connection, other)).toMatchObject(UNKNOWN);
    }
    // Who tried has not spoiled it for its owner, and gets no further while it is in use.
    await using owner = await takeUp(edge.url, transport, connection);
    expect(owner.status).toBe(OPEN[transport]);
    for (const other of others) {
      expect(await takeUp(edge.url, transport, connection, other)).toMatchObject(UNKNOWN);
      const posted = await connection.post('x', other);
      const left = await connection.leave(other);
      expect([posted.status, left.status]).toEqual([404, 404]);
    }
  });

  it('one that is altered is unknown', async () => {
    const connection = await negotiated();
    const { connectionToken, connectionId } = connection.negotiated;
    const [id = '', connectBy = '', signature = ''] = connectionToken.split('.');
    const later = (Number.parseInt(connectBy, 36) + 3600).toString(36);
    const flip = (text: string, at: number): string =>
      text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
    const altered = [
      ...Array.from(id, (_, at) => `${flip(id, at)}.${connectBy}.${signature}`),
      ...Array.from(signature, (_, at) => `${id}.${connectBy}.${flip(signature, at)}`),
      `${id}.${later}.${signature}`,
      `${id}..${signature}`,
      `${id}.0${connectBy}.${signature}`,
      `${id}.${connectBy}!.${signature}`,
      `${id}.${connectBy}.`,
      `${id}.${connectBy}`,
      `${connectionToken}.`,
      ` ${connectionToken}`,
      connectionToken.toUpperCase(),
      // The public id is no secret: without its token it opens nothing.
      connectionId,
      (await negotiated()).negotiated.connectionToken.replace(/^[^.]*/, id),
    ];
    for (const text of altered) {
      expect([text, await takeUp(edge.url, transport, connection, { id: text })]).toEqual([
        text,
        expect.objectContaining(UNKNOWN),
      ]);
    }
    await using owner = await takeUp(edge.url, transport, connection);
    expect(owner.status).toBe(OPEN[transport]);
    // Nor do they pass for it now that there is a connection; that it is a WebSocket, its user may
    // know who has but the public id.
    for (const text of altered) {
      const { status } = await connection.post('x', { id: text });
      const told = text === connectionId && transport === 'webSockets';
      expect([text, status]).toEqual([text, told ? 405 : 404]);
    }
  });
});
