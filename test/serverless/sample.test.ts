import { createHmac } from 'node:crypto';

import { createLogger } from '@trunkline/telemetry';
import {
  AccessKeys,
  DEVELOPMENT_ACCESS_KEY,
  DEVELOPMENT_CONNECTION_STRING,
  readClientClaims,
  verifyToken,
} from '@trunkline/tokens';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createApp } from '../../samples/serverless/app.ts';
import { HUB } from '../../samples/serverless/hub.ts';

const ID = 'a-connection-of-mine';
const SAY = { type: 1, invocationId: '7', target: 'say', arguments: [' '] };

let app: FastifyInstance;

beforeAll(async () => {
  app = await createApp(
    DEVELOPMENT_CONNECTION_STRING,
    createLogger({ name: 'sample', level: 'silent' }),
  );
});
afterAll(() => app?.close());

const signature = (id: string, key = DEVELOPMENT_ACCESS_KEY): string =>
  `sha256=${createHmac('sha256', key).update(id).digest('hex')}`;

/** The answer to a page that says a blank, for which the edge is asked nothing. */
function say(signatures: string | undefined, hub = HUB, body: object = SAY) {
  const signed = signatures === undefined ? {} : { 'x-asrs-signature': signatures };
  const headers = { 'x-asrs-connection-id': ID, 'x-asrs-hub': hub, ...signed };
  return app.inject({ method: 'POST', url: '/events/messages/say', headers, body });
}

describe('an event at the serverless sample', () => {
  it.each([
    ['is not signed', undefined],
    ['has an empty signature', ''],
    ['is signed with another key', signature(ID, 'x'.repeat(40))],
    ['is signed for another connection', signature('another-connection')],
    ['is signed with another hash', signature(ID).replace('sha256', 'sha512')],
  ])('is refused when it %s', async (_, signatures) => {
    expect((await say(signatures)).statusCode).toBe(401);
  });

  it('is refused when it is of another hub', async () => {
    expect((await say(signature(ID), 'chat')).statusCode).toBe(403);
  });

  it('is taken with one good signature of two', async () => {
    const { statusCode, body } = await say(`${signature(ID, 'the key before')},${signature(ID)}`);
    expect(statusCode).toBe(200);
    expect(body).toBe('{"type":3,"invocationId":"7","error":"Say 1 to 500 characters."}\x1e');
  });

  it('is answered with nothing when nobody waits for the answer', async () => {
    const { statusCode, body } = await say(signature(ID), HUB, { type: 1, arguments: [' '] });
    expect({ statusCode, body }).toEqual({ statusCode: 200, body: '' });
  });
});

describe('negotiate of the serverless sample', () => {
  async function negotiate(query: string) {
    const answer = await app.inject({ method: 'POST', url: `/negotiate${query}` });
    const { url, accessToken } = answer.json<{ url: string; accessToken: string }>();
    const keys = new AccessKeys([DEVELOPMENT_ACCESS_KEY]);
    const now = Date.now() / 1000;
    const verified = verifyToken(accessToken, { use: 'client', hub: HUB, keys, now });
    if (typeof verified === 'string') throw new Error(`the token is refused: ${verified}`);
    return { url, userId: readClientClaims(verified.payload).userId };
  }

  it.each([
    ['?user=Zo%C3%AB&negotiateVersion=1', 'Zoë'],
    [`?user=${'a'.repeat(50)}`, 'a'.repeat(40)],
  ])('gives %s a token for the hub', async (query, userId) => {
    expect(await negotiate(query)).toEqual({
      url: `http://127.0.0.1:8080/client/?hub=${HUB}`,
      userId,
    });
  });

  it.each(['', '?user=', '?user=%20', '?user=a&user=b'])(
    'makes a guest of who names nobody: %j',
    async (query) => {
      expect((await negotiate(query)).userId).toMatch(/^guest \d{4}$/);
    },
  );
});
