import type { ClientCompletion, ClientInvocation } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';

import type { FakeServerConnection } from '../fake-service.test-support.ts';
import { until } from '../fake-service.test-support.ts';
import { passing, serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import { ManualClock } from '../manual-clock.test-support.ts';
import { SERVER_ID } from '../trunk/identity.ts';

interface Asked {
  confirm(question: string): boolean;
}

class Asks extends Hub<Asked> {
  async ask(id: string): Promise<boolean> {
    return this.clients.client(id).invoke({ timeout: 5000 }).confirm('sure?');
  }
  askMe(): Promise<boolean> {
    return this.clients.caller.invoke().confirm('you?');
  }
}

/** The answer of a client elsewhere, as the service brings it. */
const says = (
  { invocationId, connectionId, callerServerId }: ClientInvocation,
  result: boolean,
): ClientCompletion => ({
  type: MessageType.ClientCompletion,
  invocationId,
  connectionId,
  callerServerId,
  protocol: 'json',
  payload: Buffer.from(`{"type":3,"invocationId":"${invocationId}","result":${result}}\x1e`),
});

test('a client here answers, while its own call waits for it', async () => {
  const { trunk } = await serve(Asks);
  const client = trunk.open();
  client.call('askMe');
  // Until the first call waits for its client, this one holds back whatever is behind it.
  client.call('ask', ['far'], '2');
  const asked = await trunk.next(34);
  expect(asked.invocationId).toMatch(/^c1-[0-9a-f]{32}-1$/);
  expect(asked).toMatchObject({ connectionId: 'c1', callerServerId: SERVER_ID });
  const { invocationId } = asked;
  expect(Buffer.from(asked.payloads.get('json')!).toString()).toBe(
    `{"type":1,"invocationId":"${invocationId}","target":"confirm","arguments":["you?"]}\x1e`,
  );
  client.json({ type: 3, invocationId, result: true });
  expect(await client.text(1)).toBe('{"type":3,"invocationId":"1","result":true}');
  const forgotten = await trunk.next(35);
  expect(forgotten).toMatchObject({ invocationId, callerServerId: SERVER_ID, protocol: 'json' });
  expect(forgotten.payload).toHaveLength(0);
});

test('a client elsewhere answers through its own server', async () => {
  const { trunk, hub } = await serve(Asks);
  const answer = hub.clients.client('far').invoke().confirm('sure?');
  trunk.send(says(await trunk.next(34), false));
  expect(await answer).toBe(false);
});

test('errors of the client and of the service reach the caller', async () => {
  const { trunk, hub } = await serve(Asks);
  const client = trunk.open();
  await client.text(0);
  const refused = hub.clients.client('c1').invoke().confirm('?');
  const unknown = hub.clients.client('nobody').invoke().confirm('?');
  const first = await trunk.next(34, 0);
  const second = await trunk.next(34, 1);
  client.json({ type: 3, invocationId: first.invocationId, error: 'busy' });
  const { invocationId, connectionId, callerServerId } = second;
  const error = "Connection 'nobody' does not exist.";
  trunk.send({
    type: MessageType.ErrorCompletion,
    invocationId,
    connectionId,
    callerServerId,
    error,
  });
  await expect(refused).rejects.toMatchObject({ name: 'HubError', message: 'busy' });
  await expect(unknown).rejects.toMatchObject({ code: 'client-gone', message: error });
});

test.each([
  ["Connection 'far' does not exist.", 'client-gone'],
  ["Connection 'far' disconnected.", 'client-gone'],
  ["Connection 'far' waits for an app server.", 'unavailable'],
  ["Connection 'far' did not answer in time.", 'unavailable'],
  ["Connection 'far' has an app server too old to ask.", 'unavailable'],
  ['The edge of the app server that asked was not heard for a while.', 'unavailable'],
  ["The message has no payload in the hub protocol of connection 'far'.", 'refused'],
  ['The message is too long to be said to other edges.', 'refused'],
  ["Too many results of connection 'far' are awaited.", 'throttled'],
  ['Too many client results are awaited.', 'throttled'],
  ['Something that only another service says.', 'client-gone'],
])('the service says %j, which is %s', async (error, code) => {
  const { trunk, hub } = await serve(Asks);
  const call = hub.clients.client('far').invoke().confirm('?');
  const { invocationId, callerServerId } = await trunk.next(34);
  const refusal = { invocationId, connectionId: 'far', callerServerId, error };
  trunk.send({ type: MessageType.ErrorCompletion, ...refusal });
  await expect(call).rejects.toMatchObject({ code, message: error });
});

test('the wait ends with the timeout, the signal and the client', async () => {
  const clock = new ManualClock();
  const { trunk, hub } = await serve(Asks, { clock });
  const client = trunk.open();
  await client.text(0);
  const controller = new AbortController();
  const late = hub.clients.client('c1').invoke({ timeout: 5000 }).confirm('?');
  const stopped = hub.clients.client('c1').invoke({ signal: controller.signal }).confirm('?');
  const left = hub.clients.client('c1').invoke().confirm('?');
  void hub.clients.client('c1').invoke().confirm('of no interest');
  controller.abort();
  await expect(stopped).rejects.toThrow('Invocation canceled by the server.');
  await expect(passing(clock, late)).rejects.toMatchObject({
    name: 'HubError',
    message:
      "Invocation canceled by the server. The client did not answer 'confirm' within 5000 ms; clients older than SignalR 7 never do.",
  });
  client.close();
  await expect(left).rejects.toThrow("Connection 'c1' disconnected.");
});

test('who goes takes along what it owes, and nothing of the others', async () => {
  const { trunk, hub } = await serve(Asks);
  const [goes, stays] = [trunk.open({ id: 'goes' }), trunk.open({ id: 'stays' })];
  await Promise.all([goes.text(0), stays.text(0)]);
  const ask = (id: string) => hub.clients.client(id).invoke().confirm('sure?');
  const answers = [ask('stays'), ask('goes'), ask('stays'), ask('goes')];
  const outcomes = Promise.allSettled(answers);
  const { invocationId } = await trunk.next(34, 1);
  goes.json({ type: 3, invocationId, result: true });
  expect(await answers[1]).toBe(true);
  goes.close();
  await expect(answers[3]).rejects.toThrow("Connection 'goes' disconnected.");
  for (const n of [0, 2]) {
    const asked = await trunk.next(34, n);
    stays.json({ type: 3, invocationId: asked.invocationId, result: false });
  }
  expect((await outcomes).map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'rejected',
  ]);
});

describe('a question that is given up', () => {
  test.each(['timeout', 'signal'] as const)('is withdrawn: %s', async (why) => {
    const clock = new ManualClock();
    const { trunk, hub } = await serve(Asks, { clock });
    const controller = new AbortController();
    const options = why === 'timeout' ? { timeout: 5000 } : { signal: controller.signal };
    const given = hub.clients.client('far').invoke(options).confirm('?');
    given.catch(() => {});
    const { invocationId } = await trunk.next(34);
    expect(trunk.ofType(35)).toEqual([]);
    if (why === 'signal') controller.abort();
    await expect(passing(clock, given)).rejects.toThrow('Invocation canceled by the server.');
    const withdrawn = await trunk.next(35);
    expect(withdrawn).toMatchObject({
      invocationId,
      connectionId: 'far',
      callerServerId: SERVER_ID,
    });
    expect(withdrawn.payload).toHaveLength(0);
  });

  test('is not withdrawn once it has been answered', async () => {
    const { trunk, hub } = await serve(Asks);
    const client = trunk.open();
    await client.text(0);
    const controller = new AbortController();
    const answer = hub.clients.client('c1').invoke({ signal: controller.signal }).confirm('?');
    const { invocationId } = await trunk.next(34);
    client.json({ type: 3, invocationId, result: true });
    expect(await answer).toBe(true);
    controller.abort();
    await hub.clients.all.confirm('behind it');
    await trunk.next(MessageType.BroadcastData);
    expect(trunk.ofType(35)).toHaveLength(1);
  });
});

describe('a question that was asked over a connection which is lost', () => {
  async function asked(connectionCount: number) {
    const clock = new ManualClock();
    const world = await serve(Asks, { clock, server: { connectionCount } });
    const { service, hub } = world;
    await until(() => service.live.length === connectionCount, 'every connection');
    const answer = hub.clients.client('far').invoke({ timeout: Infinity }).confirm('?');
    const outcome = { ended: false };
    const end = () => void (outcome.ended = true);
    answer.then(end, end);
    const trunk = await until(
      () => service.live.find((one) => one.ofType(34).length === 1),
      'the question',
    );
    const question = trunk.ofType(34)[0]!;
    const lose = async () => {
      trunk.socket.terminate();
      const open = () => world.server.health.hubs[0]!.endpoints[0]!.serverConnections;
      await until(() => open() < connectionCount, 'its loss');
    };
    /** Gives the time, a second at a time as it passes, and says whether the question has ended. */
    const pass = async (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        clock.advance(1000);
        await new Promise(setImmediate);
      }
      return outcome.ended;
    };
    const reply = (by: FakeServerConnection) => by.send(says(question, true));
    return { ...world, clock, answer, lose, pass, reply };
  }

  test('fails after 30 s without any', async () => {
    const { service, answer, lose, pass } = await asked(1);
    service.refuseWith = 503;
    await lose();
    expect(await pass(28)).toBe(false);
    await pass(4);
    await expect(answer).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining("connection 'far' was asked was lost"),
    });
  });

  test('waits on where the service is reached again', async () => {
    const { service, answer, lose, pass, reply } = await asked(1);
    await lose();
    const again = await until(() => service.live[0], 'another one');
    expect(await pass(25)).toBe(false);
    again.send({ type: MessageType.Ping, entries: [] });
    expect(await pass(20)).toBe(false);
    reply(again);
    expect(await answer).toBe(true);
  });

  test('leaves no timer behind when it ends otherwise', async () => {
    const clock = new ManualClock();
    const { service, trunk, hub } = await serve(Asks, { clock });
    const controller = new AbortController();
    const options = { timeout: Infinity, signal: controller.signal };
    const answer = hub.clients.client('far').invoke(options).confirm('?');
    await trunk.next(34);
    service.refuseWith = 503;
    trunk.socket.terminate();
    await until(() => clock.pending.includes(30_000), 'the time that the edge would wait');
    controller.abort();
    await expect(answer).rejects.toThrow('Invocation canceled by the server.');
    expect(clock.pending).not.toContain(30_000);
  });

  test('is answered by another one that is there', async () => {
    const { service, answer, lose, pass, reply } = await asked(2);
    service.refuseWith = 503;
    await lose();
    const other = service.live[0]!;
    await pass(25);
    other.send({ type: MessageType.Ping, entries: [] });
    expect(await pass(20)).toBe(false);
    reply(other);
    expect(await answer).toBe(true);
  });
});

test('another connection cannot answer', async () => {
  const { trunk } = await serve(Asks);
  const client = trunk.open();
  const thief = trunk.open({ id: 'c2' });
  client.call('askMe');
  const { invocationId } = await trunk.next(34);
  thief.json({ type: 3, invocationId, result: true });
  client.json({ type: 3, invocationId, result: false });
  expect(await client.text(1)).toContain('"result":false');
});

test('onConnected may not ask', async () => {
  class Early extends Hub<Asked> {
    override async onConnected(): Promise<void> {
      await this.clients.caller.invoke().confirm('?');
    }
  }
  const { trunk } = await serve(Early, { enableDetailedErrors: true });
  expect(await trunk.open().text(1)).toContain(
    'Client results inside OnConnectedAsync Hub methods are not allowed.',
  );
});

test("another server's question goes back with the answer's bytes", async () => {
  const { trunk } = await serve(Asks);
  const client = trunk.open();
  await client.text(0);
  const question = { invocationId: 'inv-77', connectionId: 'c1', callerServerId: 'srvX' };
  trunk.send({ type: MessageType.ClientInvocation, ...question, payloads: new Map() });
  client.json({ type: 3, invocationId: 'inv-77', result: 1 });
  client.json({ type: 3, invocationId: 'inv-77', result: 2 });
  const answer = await trunk.next(35);
  expect(answer).toMatchObject({ ...question, callerServerId: SERVER_ID, protocol: 'json' });
  expect(Buffer.from(answer.payload).toString()).toBe(
    '{"type":3,"invocationId":"inv-77","result":1}\x1e',
  );
  client.call('ask', ['nobody']);
  await until(() => trunk.ofType(34).length === 1, 'what comes behind');
  expect(trunk.ofType(35)).toHaveLength(1);
});

describe('how long the wait may be', () => {
  test('for ever, as long as the client is there', async () => {
    const { trunk, hub } = await serve(Asks);
    const client = trunk.open();
    await client.text(0);
    const patient = hub.clients.client('c1').invoke({ timeout: Infinity }).confirm('?');
    const { invocationId } = await trunk.next(34);
    const impatient = hub.clients.client('c1').invoke({ timeout: 20 }).confirm('?');
    await expect(impatient).rejects.toThrow('within 20 ms');
    client.json({ type: 3, invocationId, result: true });
    expect(await patient).toBe(true);
  });

  test.each([0, -1, Number.NaN])('not %j', async (timeout) => {
    const { hub } = await serve(Asks);
    expect(() => hub.clients.client('c1').invoke({ timeout })).toThrow(/invoke: timeout takes/);
  });

  test('no time at all, where the signal is aborted already', async () => {
    const { trunk, hub } = await serve(Asks);
    const call = hub.clients.client('c1').invoke({ signal: AbortSignal.abort() }).confirm('?');
    await expect(call).rejects.toThrow('Invocation canceled by the server.');
    await hub.clients.all.confirm('behind it');
    await trunk.next(MessageType.BroadcastData);
    expect(trunk.ofType(34)).toEqual([]);
  });
});

describe('a client from before client results', () => {
  const text =
    "Connection 'c1' cannot answer: it is Microsoft SignalR/6.0, and client results need 7.0.";
  const agent = (value: string) => ({ headers: new Map([['User-Agent', [value]]]) });

  test('is not asked, for it would hang up or keep silent', async () => {
    const { trunk, hub } = await serve(Asks);
    const client = trunk.open(agent('Microsoft SignalR/6.0 (6.0.25; Linux; NodeJS; v22)'));
    await client.text(0);
    const call = hub.clients.client('c1').invoke().confirm('?');
    await expect(call).rejects.toMatchObject({ code: 'client-too-old', message: text });
    expect(trunk.ofType(34)).toEqual([]);
  });

  test("has another server's question answered for it", async () => {
    const { trunk } = await serve(Asks);
    const client = trunk.open({
      headers: new Map([['X-SignalR-User-Agent', ['Microsoft SignalR/6.0 (6.0.25; …)']]]),
    });
    await client.text(0);
    const question = { invocationId: 'inv-7', connectionId: 'c1', callerServerId: 'srvX' };
    trunk.send({ type: MessageType.ClientInvocation, ...question, payloads: new Map() });
    const answer = await trunk.next(35);
    expect(answer).toMatchObject({ invocationId: 'inv-7', connectionId: 'c1', protocol: 'json' });
    expect(Buffer.from(answer.payload).toString()).toBe(
      `${JSON.stringify({ type: 3, invocationId: 'inv-7', error: text })}\x1e`,
    );
  });

  test("is refused by the service, where it is another server's", async () => {
    const { trunk, hub } = await serve(Asks);
    const call = hub.clients.client('c1').invoke().confirm('?');
    const { invocationId, callerServerId } = await trunk.next(34);
    const refusal = { invocationId, connectionId: 'c1', callerServerId, error: text };
    trunk.send({ type: MessageType.ErrorCompletion, ...refusal });
    await expect(call).rejects.toMatchObject({ code: 'client-too-old', message: text });
  });

  test.each(['Microsoft SignalR/7.0 (7.0.14; …)', 'Microsoft SignalR/10.0 (…)', 'Mozilla/5.0', ''])(
    'is not %j',
    async (value) => {
      const { trunk, hub } = await serve(Asks);
      const client = trunk.open(agent(value));
      await client.text(0);
      const call = hub.clients.client('c1').invoke().confirm('?');
      const { invocationId } = await trunk.next(34);
      client.json({ type: 3, invocationId, result: true });
      expect(await call).toBe(true);
    },
  );
});

test('an answer may come to another server of this process, which the service takes for one', async () => {
  const asks = await serve(Asks);
  const hears = await serve(Asks);
  const answer = asks.hub.clients.client('far').invoke().confirm('sure?');
  hears.trunk.send(says(await asks.trunk.next(34), true));
  expect(await answer).toBe(true);
});
