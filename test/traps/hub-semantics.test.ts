/** Client protocols reference, section 10: what a hub server answers, and to whom it listens. */
import { FakeAppServer } from '@trunkline/testing';
import { expect, it } from 'vitest';

import { HubClient, type HubMessage } from '../edge/support/hub-client.ts';
import { entry, journal, release, sharedApp } from './support/app.ts';
import { payloadsOf } from './support/payloads.ts';
import { RawHubClient } from './support/raw-hub-client.ts';

const { edge, app } = await sharedApp();

const call = (invocationId: string, target: string, ...values: unknown[]): string =>
  JSON.stringify({ type: 1, invocationId, target, arguments: values });

const completion = (client: HubClient, invocationId: string): Promise<HubMessage> =>
  client.received.first(
    (message) => message.type === 3 && message.invocationId === invocationId,
    `the completion of ${invocationId}`,
  );

it('trap 23: onDisconnected does not run for a client whose onConnected threw', async () => {
  using refused = await RawHubClient.connect(edge.url, { query: '&refuse=1' });
  expect(await refused.nextTexts()).toEqual([
    '{"type":7,"error":"Connection closed with an error."}',
  ]);
  await refused.socket.ended;
  const welcome = await HubClient.connect(edge.url);
  await welcome.close();
  await entry('disconnected', welcome.connectionId);
  const entries = journal.all.filter(({ connectionId }) => connectionId === refused.connectionId);
  expect(entries).toEqual([]);
});

it('trap 24: a method without a result is answered with one: null in JSON, nil in MessagePack', async () => {
  using json = await RawHubClient.connect(edge.url);
  json.text(call('0', 'nothing'));
  expect(await json.nextTexts()).toEqual(['{"type":3,"invocationId":"0","result":null}']);
  using binary = await RawHubClient.connect(edge.url, { protocol: 'messagepack' });
  binary.packed('95 01 80 a1 30 a7 6e 6f 74 68 69 6e 67 90');
  expect(await binary.nextHex()).toBe('07950380a13003c0');
});

it('trap 25: a method that does not exist is refused in the words that clients compare', async () => {
  await using client = await HubClient.connect(edge.url);
  await expect(client.call('NoSuchMethod')).rejects.toThrow(
    /^Failed to invoke 'NoSuchMethod' due to an error on the server\. HubException: Method does not exist\.$/,
  );
});

it('trap 26: case does not matter in method names, and does in group names and user ids', async () => {
  await using client = await HubClient.connect(edge.url, { userId: 'Ann' });
  expect(await client.call('ECHO', 1)).toBe(1);
  await client.call('Join', 'Group');
  await client.call('tell', 'group', 'group', 'to another group');
  await client.call('tell', 'user', 'ann', 'to another user');
  await client.call('tell', 'group', 'Group', 'to its group');
  await client.call('tell', 'user', 'Ann', 'to itself');
  const heard = client.received.all.filter(({ target }) => target === 'message');
  expect(heard.map((message) => message.arguments)).toEqual([['to its group'], ['to itself']]);
});

it('trap 27: a call waits for the one before it, unless that waits for an answer of the client', async () => {
  await using client = await HubClient.connect(edge.url);
  const order = (): (string | undefined)[] =>
    client.received.all.filter(({ type }) => type === 3).map(({ invocationId }) => invocationId);
  const before = release;
  client.write(`${call('a', 'hold')}\x1e${call('b', 'echo', 1)}\x1e`);
  await expect.poll(() => release).not.toBe(before);
  release();
  await completion(client, 'b');
  expect(order()).toEqual(['a', 'b']);

  client.write(`${call('c', 'ask', 'sure?', 5000)}\x1e`);
  const question = await client.invocation('confirm');
  client.write(`${call('d', 'echo', 2)}\x1e`);
  await completion(client, 'd');
  const answer = { type: 3, invocationId: question.invocationId, result: 'yes' };
  client.write(`${JSON.stringify(answer)}\x1e`);
  expect(await completion(client, 'c')).toMatchObject({ result: 'yes' });
  expect(order()).toEqual(['a', 'b', 'd', 'c']);
});

it('trap 34: a client that never answers is waited for as long as the hub says, and stays', async () => {
  await using java = await HubClient.connect(edge.url);
  await expect(java.call('ask', 'sure?', 200)).rejects.toThrow('An unexpected error occurred');
  expect(await java.call('echo', 'still here')).toBe('still here');
  const stream = { type: 4, invocationId: 's', target: 'countdown', arguments: [2] };
  java.write(`${JSON.stringify(stream)}\x1e`);
  await completion(java, 's');
  // Java's library has no place for streams from the server, acks and sequences.
  const types = new Set(java.received.all.map(({ type }) => type));
  expect([...types].filter((type) => [4, 5, 8, 9].includes(type))).toEqual([]);
});

it("trap 35: an error completion without an id, which Go's library sends, is ignored", async () => {
  const stray = (id: string): string =>
    JSON.stringify({ type: 3, invocationId: id, error: 'method not found' });
  using json = await RawHubClient.connect(edge.url);
  await app.hub.clients.client(json.connectionId).message('nobody listens');
  await json.next();
  json.text(stray(''), call('1', 'echo', 'still here'));
  expect(await json.nextTexts()).toEqual(['{"type":3,"invocationId":"1","result":"still here"}']);
  using binary = await RawHubClient.connect(edge.url, { protocol: 'messagepack' });
  binary.packed('95 03 80 a0 01 a1 78');
  binary.packed('95 01 80 a1 31 a4 65 63 68 6f 91 2a');
  expect(await binary.nextHex()).toBe('07950380a131032a');

  // ASP.NET drops the connection when it sees one, so no app server gets to see it.
  await using server = await FakeAppServer.connect(edge.url, { hub: 'fake' });
  using other = await RawHubClient.connect(edge.url, { hub: 'fake' });
  other.text(stray(''), call('1', 'echo', 'still here'));
  await other.next();
  expect(payloadsOf(server, other.connectionId)).toEqual([
    '{"protocol":"json","version":1}\x1e',
    `${call('1', 'echo', 'still here')}\x1e`,
  ]);
});
