import { decode, encode } from '@msgpack/msgpack';
import { MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { Pools } from '../../pools.ts';
import type { FakeExchange } from '../fake-exchange.test-support.ts';
import type { FakeClient, FakeServer } from '../fixtures.test-support.ts';
import { MESSAGEPACK_HANDSHAKE, TestEdge } from '../fixtures.test-support.ts';
import type { GivenCall } from './rest-call.test-support.ts';
import { errorOf, restCall } from './rest-call.test-support.ts';

const FRAMED = { 'content-type': 'application/octet-stream' };

let edge: TestEdge;
let server: FakeServer;
let client: FakeClient;

beforeEach(async () => {
  edge = new TestEdge();
  server = await edge.server();
  client = await edge.client(server);
});

/** Calls a method of a client; of that which there is, unless given. */
function invoke(given: GivenCall = {}, { id } = client): FakeExchange {
  const what = `POST /api/hubs/chat/connections/${id}/:invoke?api-version=2024-12-01`;
  return restCall(edge, what, { body: '{"target":"confirm"}', ...given });
}

/** Its app server passes on what the client answers. */
async function answers(protocol: string, payload: string | Uint8Array): Promise<void> {
  const [question] = (await server.messages()).filter(
    (one) => one.type === MessageType.ClientInvocation,
  );
  const { invocationId, connectionId, callerServerId } = question!;
  const type = MessageType.ClientCompletion;
  const bytes = Buffer.from(payload);
  server.says({ type, invocationId, connectionId, callerServerId, protocol, payload: bytes });
}

/** A hub message in MessagePack, framed, as the only payload. */
const messagepack = (record: Uint8Array): Uint8Array =>
  encode({ messagepack: Uint8Array.of(record.length, ...record) });

test('a client whose hub protocol a framed message does not speak is not asked, and the caller is told', () => {
  const body = messagepack(encode([1, {}, 'own', 'confirm', [], []]));
  expect(errorOf(invoke({ headers: FRAMED, body }))).toEqual([
    400,
    'Error.Request.Invalid',
    `The message has no payload in the hub protocol of connection '${client.id}'.`,
  ]);
  expect(client.heard).toEqual([]);
});

test.each([
  ['has no target', messagepack(encode([1, {}, null]))],
  ['ends within its arguments', messagepack(encode([1, {}, null, 'm', ['abc']]).subarray(0, -1))],
])('a framed message that %s is none', (_what, body) => {
  expect(errorOf(invoke({ headers: FRAMED, body }))).toEqual([
    400,
    'Error.Request.Invalid',
    "The payload for 'messagepack' is no invocation.",
  ]);
});

test('a framed message needs no id of its own', async () => {
  const handshake = MESSAGEPACK_HANDSHAKE;
  const binary = await edge.client(server, { handshake });
  binary.socket.bytes.length = 0;
  invoke({ headers: FRAMED, body: messagepack(encode([1, {}, null, 'confirm', [7], []])) }, binary);
  const asked = decode(binary.socket.bytes[0]!.subarray(1));
  expect(asked).toEqual([1, {}, expect.stringMatching(/^[\da-f]{32}$/), 'confirm', [7], []]);
});

describe('the result of a client', () => {
  const JSON_WANTED = { headers: { accept: 'application/json' } };
  const UNREADABLE = [
    500,
    'Error.Request.Unknown',
    'The client has answered with what cannot be read.',
  ];

  test.each([
    ['json', 'nothing\x1e'],
    ['messagepack', Uint8Array.of(5, ...encode([3, {}, 'i']))],
    ['no protocol', '{"type":3,"invocationId":"i"}\x1e'],
  ])('that cannot be read as %s is none', async (protocol, payload) => {
    const exchange = invoke(JSON_WANTED);
    await answers(protocol, payload);
    expect(errorOf(exchange)).toEqual(UNREADABLE);
  });

  const framed = (record: unknown[]): Uint8Array => {
    const bytes = encode(record);
    return Uint8Array.of(bytes.length, ...bytes);
  };

  test.each([
    ['json', '{"type":3,"invocationId":"i","result":1.50}\x1e', '{"result":1.50}'],
    ['json', '{"type":3,"invocationId":"i"}\x1e', '{"result":null}'],
    ['json', '{"type":3,"error":null,"result":{"a":1}}\x1e', '{"result":{"a":1}}'],
    ['json', '{"type":3,"invocationId":"i","error":"no"}\x1e', '{"error":"no"}'],
    ['messagepack', framed([3, {}, 'i', 1, 'no']), '{"error":"no"}'],
    ['messagepack', framed([3, {}, 'i', 2]), '{"result":null}'],
    ['messagepack', framed([3, {}, 'i', 3, { a: [1] }]), '{"result":{"a":[1]}}'],
  ])('in %s, %s, is %s', async (protocol, payload, result) => {
    const exchange = invoke(JSON_WANTED);
    await answers(protocol, payload);
    expect([exchange.status, exchange.body]).toEqual([200, result]);
  });

  test('comes as JSON to who does not say what it accepts', async () => {
    const exchange = invoke();
    await answers('json', '{"type":3,"invocationId":"i","result":1}\x1e');
    expect(exchange.body).toBe('{"result":1}');
  });

  test('in a hub protocol of its own comes as its bytes, in base64', async () => {
    const exchange = invoke(JSON_WANTED);
    await answers('Own', 'done');
    expect(exchange.answered).toMatchObject({
      status: 200,
      headers: { 'x-asrs-protocol': 'own', 'x-protocol': 'own' },
    });
    expect(JSON.parse(exchange.body)).toEqual({ result: 'ZG9uZQ==', protocol: 'own' });
  });

  test.each([
    ['*/*', 'application/octet-stream'],
    ['application/X-MSGPACK', 'application/octet-stream'],
    ['Application/JSON, */*', 'application/json'],
    ['text/plain', 'application/json'],
  ])('for who accepts %s comes as %s', async (accept, contentType) => {
    const exchange = invoke({ headers: { accept } });
    await answers('json', '{"type":3,"invocationId":"i","result":1.50}\x1e');
    expect(exchange.answered).toMatchObject({
      status: 200,
      headers: { 'content-type': contentType, 'x-asrs-protocol': 'json' },
    });
  });
});

describe('a client is not asked, or in vain,', () => {
  test('while it waits for an app server', () => {
    server.socket.leave(1006);
    const waiting = edge.strangeClient();
    waiting.says('{"protocol":"json","version":1}␞');
    const exchange = invoke({}, waiting);
    expect(errorOf(exchange)).toEqual([
      503,
      'Error.Request.Unknown',
      `Connection '${waiting.id}' waits for an app server.`,
    ]);
    expect(exchange.answered!.headers).toMatchObject({ 'retry-after': '1' });
  });

  test('by an app server that is too old to pass its answer on', async () => {
    const userAgent = 'Microsoft.Azure.SignalR/1.15.2';
    const old = await edge.server({ hub: 'old', userAgent });
    const { id } = await edge.client(old, { hub: 'old' });
    const what = `POST /api/hubs/old/connections/${id}/:invoke`;
    expect(errorOf(restCall(edge, what, { body: '{"target":"confirm"}' }))).toEqual([
      500,
      'Error.Connection.Unknown',
      `Connection '${id}' has an app server too old to ask.`,
    ]);
  });

  test('where it does not answer for ten minutes', () => {
    const exchange = invoke();
    edge.passWith(server, 590);
    expect(exchange.answered).toBeUndefined();
    edge.passWith(server, 20);
    expect(errorOf(exchange)).toEqual([
      504,
      'Error.Connection.Unknown',
      `Connection '${client.id}' did not answer in time.`,
    ]);
  });

  test('when too many results are awaited', async () => {
    const pools = new Pools({ client_results: { share: 1, total: 1 } });
    edge = new TestEdge({}, { pools });
    client = await edge.client(await edge.server());
    invoke();
    const exchange = invoke();
    expect(errorOf(exchange)).toEqual([429, 'Error.Request.Unknown', expect.any(String)]);
    expect(exchange.answered!.headers).toMatchObject({ 'retry-after': '1' });
  });
});
