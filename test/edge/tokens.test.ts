import { generateKeyPairSync, sign } from 'node:crypto';

import { startEdge } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { scrape } from './support/metrics.ts';
import { type Answer, RawSocket } from './support/raw-socket.ts';
import { serverToken, token, type TokenChanges, unixSeconds } from './support/tokens.ts';

const SECOND_KEY = 'the-second-key-of-this-edge-0123456789abcdef';
const FIRST_KEY = 'the-first-key-of-this-edge-0123456789abcdefg';

let edge: Awaited<ReturnType<typeof startEdge>>;

beforeAll(async () => {
  edge = await startEdge({ args: ['--access-keys', `${FIRST_KEY},${SECOND_KEY}`] });
});
afterAll(() => edge.stop());

/** The three doors that a token opens, with the use that their metric is counted under. */
const DOORS = [
  { door: 'negotiate', use: 'client', path: '/client/negotiate' },
  { door: 'a client WebSocket', use: 'client', path: '/client/' },
  { door: 'a server WebSocket', use: 'server', path: '/server/' },
] as const;

type Door = (typeof DOORS)[number];

type Headers = Readonly<Record<string, string>>;

const knock = (door: Door, headers: Headers, query = ''): Promise<Answer> =>
  request(door, `?hub=chat${query}`, headers);

async function request({ path }: Door, query: string, headers: Headers): Promise<Answer> {
  using socket = new RawSocket(edge.url);
  if (path !== '/client/negotiate') return await socket.upgrade(path + query, headers);
  socket.request('POST', path + query, { 'Content-Length': '0', ...headers });
  return await socket.answer();
}

const bearer = (text: string): Headers => ({ Authorization: `Bearer ${text}` });

/** A token for the door, changed. */
function tokenFor({ use }: Door, changes: TokenChanges = {}): string {
  const payload = { aud: `http://anywhere/${use}/?hub=chat`, ...changes.payload };
  return token({ key: FIRST_KEY, ...changes, payload });
}

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const BAD: Readonly<Record<string, { reason: string; make: (door: Door) => string }>> = {
  'an expired one': {
    reason: 'expired',
    make: (door) => tokenFor(door, { payload: { exp: unixSeconds() - 1 } }),
  },
  'one of the future': {
    reason: 'not-yet-valid',
    make: (door) => tokenFor(door, { payload: { nbf: unixSeconds() + 400 } }),
  },
  "another hub's": {
    reason: 'audience',
    make: (door) => tokenFor(door, { payload: { aud: `http://x/${door.use}/?hub=chat2` } }),
  },
  "the other door's": {
    reason: 'audience',
    make: ({ use }) => (use === 'client' ? serverToken(FIRST_KEY) : token({ key: FIRST_KEY })),
  },
  'one without an audience': {
    reason: 'audience',
    make: (door) => tokenFor(door, { payload: { aud: undefined } }),
  },
  'one of a key that is not ours': {
    reason: 'signature',
    make: (door) => tokenFor(door, { key: 'not-a-key-of-this-edge-0123456789abcdefghij' }),
  },
  'one changed after signing': {
    reason: 'signature',
    make: (door) => {
      const [header, , signature] = tokenFor(door).split('.');
      const body = tokenFor(door, { payload: { 'asrs.s.uid': 'admin' } }).split('.')[1];
      return `${header}.${body}.${signature}`;
    },
  },
  'one without a signature': {
    reason: 'signature',
    make: (door) => tokenFor(door, { sign: () => '' }),
  },
  'alg none': {
    reason: 'algorithm',
    make: (door) => tokenFor(door, { header: { alg: 'none' }, sign: () => '' }),
  },
  RS256: {
    reason: 'algorithm',
    make: (door) =>
      tokenFor(door, {
        header: { alg: 'RS256' },
        sign: (text) => sign('sha256', Buffer.from(text), privateKey).toString('base64url'),
      }),
  },
  garbage: { reason: 'malformed', make: () => 'garbage' },
  'three parts of garbage': { reason: 'malformed', make: () => 'a.b.c' },
  'one of 4,097 characters': {
    reason: 'oversized',
    make: (door) => {
      const bare = tokenFor(door).length;
      const padded = tokenFor(door, { payload: { pad: 'x'.repeat(4200 - bare) } });
      return padded.padEnd(4097, 'A').slice(0, 4097);
    },
  },
};

describe.each(DOORS)('at $door', (door) => {
  async function expectRefusal(reason: string, answering: Promise<Answer>): Promise<void> {
    const { status, headers, rest } = await answering;
    expect({ reason, status }).toEqual({ reason, status: 'HTTP/1.1 401 Unauthorized' });
    expect(headers.get('content-length')).toBe('0');
    expect(headers.get('www-authenticate')).toMatch(
      reason === 'missing'
        ? /^Bearer$/
        : /^Bearer error="invalid_token", error_description="[^"]+"$/,
    );
    expect(rest).toHaveLength(0);
  }

  async function rejections(reason: string): Promise<number> {
    const metrics = await scrape(edge);
    return metrics.value('trunkline_token_rejections_total', { use: door.use, reason });
  }

  it.each(Object.keys(BAD))('refuses %s, in header and query, and counts it', async (name) => {
    const { reason, make } = BAD[name]!;
    const before = await rejections(reason);
    const bad = make(door);
    await expectRefusal(reason, knock(door, bearer(bad)));
    await expectRefusal(reason, knock(door, {}, `&access_token=${bad}`));
    expect(await rejections(reason)).toBe(before + 2);
  });

  it('refuses who brings none, or one of another scheme', async () => {
    const before = await rejections('missing');
    await expectRefusal('missing', knock(door, {}));
    await expectRefusal('missing', knock(door, {}, '&access_token='));
    await expectRefusal('missing', knock(door, { Authorization: 'Basic YTpi' }));
    expect(await rejections('missing')).toBe(before + 3);
  });

  it('lets good ones in, however they are brought', async () => {
    const good = tokenFor(door);
    const opened =
      door.door === 'negotiate' ? 'HTTP/1.1 200 OK' : 'HTTP/1.1 101 Switching Protocols';
    const knocks = {
      header: knock(door, bearer(good)),
      'a header in capitals': knock(door, { AUTHORIZATION: `BEARER ${good}` }),
      query: knock(door, {}, `&access_token=${good}`),
      'the last of the query': knock(door, {}, `&access_token=garbage&access_token=${good}`),
      'a header before the query': knock(door, bearer(good), '&access_token=garbage'),
      'the second key': knock(door, bearer(tokenFor(door, { key: SECOND_KEY }))),
      HS512: knock(door, bearer(tokenFor(door, { header: { alg: 'HS512' } }))),
      'a kid that nobody knows': knock(door, bearer(tokenFor(door, { header: { kid: '-1' } }))),
      'a clock that is four minutes ahead': knock(
        door,
        bearer(tokenFor(door, { payload: { nbf: unixSeconds() + 240, iat: 2 ** 40 } })),
      ),
      'no expiry': knock(door, bearer(tokenFor(door, { payload: { exp: undefined } }))),
      'one audience of several, its hub in capitals': knock(
        door,
        bearer(
          tokenFor(door, { payload: { aud: ['http://x/', `http://y/${door.use}/?hub=CHAT`] } }),
        ),
      ),
    };
    for (const [name, answering] of Object.entries(knocks)) {
      expect({ name, status: (await answering).status }).toEqual({ name, status: opened });
    }
  });

  it('never lets the query speak for a bad header, nor an earlier token for a later', async () => {
    const good = tokenFor(door);
    const bad = bearer('garbage');
    for (const knocking of [
      knock(door, bad, `&access_token=${good}`),
      knock(door, {}, `&access_token=${good}&access_token=garbage`),
    ]) {
      expect((await knocking).status).toBe('HTTP/1.1 401 Unauthorized');
    }
  });

  it('lets a token of 4,096 characters in, in the URL', async () => {
    const lengthOf = (pad: number): number =>
      tokenFor(door, { payload: { pad: 'x'.repeat(pad) } }).length;
    let pad = 2000;
    while (lengthOf(pad) < 4095) pad++;
    const longest = tokenFor(door, { payload: { pad: 'x'.repeat(pad) } });
    expect(longest.length).toBeGreaterThanOrEqual(4095);
    expect(longest.length).toBeLessThanOrEqual(4096);
    const { status } = await knock(door, {}, `&access_token=${longest}`);
    expect(status).toMatch(/ (?:101|200) /);
  });

  it('wants to know the hub', async () => {
    for (const query of ['', '?hub=', '?hub=1st', `?hub=${'a'.repeat(129)}`, '?hub=%00']) {
      const { status } = await request(door, query, bearer(tokenFor(door)));
      expect({ query, status }).toEqual({ query, status: 'HTTP/1.1 400 Bad Request' });
    }
  });
});

it('logs neither tokens nor keys', () => {
  const log = edge.output();
  expect(log).toContain('app server refused');
  for (const secret of [FIRST_KEY, SECOND_KEY, 'eyJ']) expect(log).not.toContain(secret);
});
