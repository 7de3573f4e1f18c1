import { FakeAppServer } from '@trunkline/testing';
import { describe, expect, it, vi } from 'vitest';

import { HttpConnection } from './support/http-connection.ts';
import { metric } from './support/metrics.ts';
import { CLIENTS, TRANSPORT_LABELS } from './support/request-clients.ts';
import { sharedEdge } from './support/shared-edge.ts';
import { token, unixSeconds, userToken } from './support/tokens.ts';

/** Connections that outlive their access tokens, and those that end with a sign-in. */

const { edge } = await sharedEdge();

const annsToken = (claims: Record<string, unknown>): string =>
  token({ payload: { 'asrs.s.uid': 'ann', ...claims } });

/** Waits until a token opens nothing any more. */
const expired = (short: string): Promise<void> =>
  vi.waitFor(
    () =>
      expect(HttpConnection.negotiate(edge.url, { token: short })).rejects.toThrow(
        'negotiate was answered with 401',
      ),
    { timeout: 5_000 },
  );

describe.concurrent.each(['serverSentEvents', 'longPolling'] as const)('by %s', (transport) => {
  it('a client goes on when its access token has expired, and nobody else does', async () => {
    const short = annsToken({ exp: unixSeconds() + 3, n: transport });
    const client = await CLIENTS[transport].connect(edge.url, { token: short });
    const { connection } = client;
    await expired(short);
    expect(await client.call('echo', 'on')).toBe('on');

    const others = {
      'another user': [userToken('chat', 'eve'), 404],
      nobody: [userToken('chat', undefined), 404],
      'another expired one': [annsToken({ exp: unixSeconds() - 1 }), 401],
      'another hub': [userToken('chat2', 'ann'), 401],
      'one that is no token': ['x', 401],
      none: [undefined, 401],
    } as const;
    for (const [who, [other, status]] of Object.entries(others)) {
      const asked = {
        post: await connection.post('x', { token: other }),
        poll: await connection.poll({ token: other }),
        stream: await connection.stream({ token: other }),
        leave: await connection.leave({ token: other }),
      };
      for (const [kind, response] of Object.entries(asked)) {
        expect([who, kind, response.status]).toEqual([who, kind, status]);
      }
    }

    // A token that the same user has been given since is as good.
    expect((await connection.post('', { token: annsToken({ n: 2 }) })).status).toBe(200);
    expect(await client.call('echo', 'still')).toBe('still');
    await client.close();
    // The edge hears of it a moment later.
    await vi.waitFor(async () => expect((await connection.post('x')).status).toBe(401));
  });
});

describe.concurrent.each(TRANSPORT_LABELS)('the end of a sign-in, by %s', (transport) => {
  it('closes the client, to come again, and no diagnostic one', async () => {
    const hub = transport.toLowerCase();
    await using _server = await FakeAppServer.connect(edge.url, { hub });
    const aud = `http://anywhere/client/?hub=${hub}`;
    const ends = { aud, 'asrs.s.coae': 'true', 'asrs.s.aeo': `${unixSeconds() + 3}` };
    const connect = (claims: object): ReturnType<(typeof CLIENTS)[typeof transport]['connect']> =>
      CLIENTS[transport].connect(edge.url, { hub, token: token({ payload: { aud, ...claims } }) });
    const client = await connect(ends);
    const others = await Promise.all([
      connect({ ...ends, 'asrs.s.dc': 'true' }),
      connect({ ...ends, 'asrs.s.coae': undefined }),
      connect({ ...ends, 'asrs.s.aeo': undefined }),
      connect({ ...ends, 'asrs.s.aeo': `${unixSeconds() + 3600}` }),
    ]);
    await client.closed;
    expect(client.received.all.filter(({ type }) => type !== 6)).toEqual([
      { type: 7, allowReconnect: true },
    ]);
    expect(unixSeconds()).toBeGreaterThanOrEqual(Number(ends['asrs.s.aeo']));
    for (const other of others) {
      expect(await other.call('echo', 'here')).toBe('here');
      await other.close();
    }
  });
});

it('closes for the end of a sign-in are counted as such', async () => {
  const reason = { reason: 'SignInExpired' };
  expect(await metric(edge, 'trunkline_client_closes_total', reason)).toBe(3);
});

describe('what is too long is refused with a 4xx', () => {
  const LONG = 'a'.repeat(40_000);
  const MANY = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`x-${n}`, 'a']));
  const ask = async (options: object): Promise<number[]> => {
    const connection = await HttpConnection.negotiate(edge.url);
    const answers = [
      await connection.poll(options),
      await connection.stream(options),
      await connection.post('x', options),
      await connection.leave(options),
    ];
    await Promise.all(answers.map((answer) => answer.text()));
    return answers.map(({ status }) => status);
  };

  it.each([
    ['a token', { token: annsToken({ pad: 'x'.repeat(4096) }) }, [401, 401, 401, 401]],
    ['a token beyond any header', { token: LONG }, [431, 431, 431, 431]],
    ['an id', { id: 'a'.repeat(10_000) }, [404, 404, 404, 404]],
    ['a URL', { id: LONG }, [431, 431, 431, 431]],
    ['a header', { headers: { 'x-pad': LONG } }, [431, 431, 431, 431]],
    ['a number of headers', { headers: MANY }, [431, 431, 431, 431]],
  ])('%s', async (_name, options, statuses) => {
    expect(await ask(options)).toEqual(statuses);
  });

  it('headers that an app server could not be told, where a connection is made', async () => {
    const headers = { 'x-pad': 'a'.repeat(17_000) };
    expect(await ask({ headers })).toEqual([431, 431, 200, 400]);
  });
});
