import { MessageType } from '@trunkline/protocol';
import { describe, expect, it } from 'vitest';

import { data } from './fake-service.test-support.ts';
import { settle } from './manual-clock.test-support.ts';
import { Scene } from './scene.test-support.ts';

const NO_PAYLOADS = new Map<string, Uint8Array>();
const completion = (id: string, rest: object): string =>
  `${JSON.stringify({ type: 3, invocationId: id, ...rest })}\x1e`;

/** A caller on the first connection and a client it asks on the second; its question's 34. */
async function asked() {
  const scene = await Scene.start({ connections: 2 });
  const [s1, s2] = [await scene.side(0), await scene.side(1)];
  await scene.client('ME', { side: s1 });
  await scene.client('THEM', { side: s2 });
  const { clients } = await scene.lend('ME', s1);
  const answer = clients.client('THEM').invoke('ask', ['sure?']);
  answer.catch(() => {});
  const { message } = await s1.frame(MessageType.ClientInvocation);
  return { scene, s1, s2, answer, question: message };
}

/** Service protocol reference, sections 11 and 20.5. */
describe('client results at 1.34.0', () => {
  it('asks by message 34, in all protocols, on the connection of the caller', async () => {
    const { scene, question } = await asked();
    await using _ = scene;
    expect(question).toMatchObject({ connectionId: 'THEM', callerServerId: scene.app.serverId });
    expect(question.invocationId).toMatch(/^THEM-[0-9a-f]{32}-\d+$/);
    const protocols = Array.from(question.payloads, ([protocol]) => protocol);
    expect(protocols).toEqual(['json', 'messagepack']);
    expect(Buffer.from(question.payloads.get('json')!).toString()).toBe(
      `{"type":1,"invocationId":"${question.invocationId}","target":"ask","arguments":["sure?"]}\x1e`,
    );
  });

  it('takes the answer of its own client, and says so without a payload', async () => {
    const { scene, s2, answer, question } = await asked();
    await using _ = scene;
    s2.write(data('THEM', completion(question.invocationId, { result: 42 })));
    expect(await answer).toBe(42);
    const { message } = await s2.frame(MessageType.ClientCompletion);
    expect(message).toEqual({
      type: MessageType.ClientCompletion,
      invocationId: question.invocationId,
      connectionId: 'THEM',
      callerServerId: scene.app.serverId,
      protocol: 'json',
      payload: Buffer.alloc(0),
    });
  });

  it('hands on the error of a client', async () => {
    const { scene, s2, answer, question } = await asked();
    await using _ = scene;
    s2.write(data('THEM', completion(question.invocationId, { error: 'no' })));
    await expect(answer).rejects.toMatchObject({ name: 'HubException', message: 'no' });
    await s2.frame(MessageType.ClientCompletion);
  });

  it('takes a relayed answer, whoever it names as caller', async () => {
    const { scene, s1, answer, question } = await asked();
    await using _ = scene;
    const { invocationId } = question;
    s1.write({
      type: MessageType.ClientCompletion,
      invocationId,
      connectionId: 'THEM',
      callerServerId: 'another server',
      protocol: 'json',
      payload: Buffer.from(completion(invocationId, { result: 'far' })),
    });
    expect(await answer).toBe('far');
  });

  it('fails with the text of message 36', async () => {
    const { scene, s1, answer, question } = await asked();
    await using _ = scene;
    const { invocationId, callerServerId } = question;
    const ids = { invocationId, connectionId: 'THEM', callerServerId };
    s1.write({ type: MessageType.ErrorCompletion, ...ids, error: 'unknown client' });
    await expect(answer).rejects.toMatchObject({ name: 'HubException', message: 'unknown client' });
  });

  it('fails without a message when its own client is closed', async () => {
    const { scene, s2, answer } = await asked();
    await using _ = scene;
    s2.write({
      type: MessageType.CloseConnection,
      connectionId: 'THEM',
      errorMessage: '',
      headers: new Map(),
    });
    await expect(answer).rejects.toThrow("Connection 'THEM' is disconnected.");
    await settle();
    expect(s2.messages.filter(({ type }) => type > 30)).toEqual([]);
  });

  it('fails when the service instance that holds the client is gone', async () => {
    const { scene, s1, answer, question } = await asked();
    await using _ = scene;
    const { invocationId } = question;
    const mapping = { invocationId, connectionId: 'THEM', instanceId: 'far' };
    s1.write({ type: MessageType.ServiceMapping, ...mapping });
    s1.ping('offline', 'far');
    await expect(answer).rejects.toThrow("Connection 'THEM' is disconnected.");
  });

  it('answers as host for another server', async () => {
    await using scene = await Scene.start();
    const side = await scene.client('ME');
    const ids = { invocationId: 'inv-77', connectionId: 'ME' };
    side.write({
      type: MessageType.ClientInvocation,
      ...ids,
      callerServerId: 'srvX',
      payloads: NO_PAYLOADS,
    });
    const answer = completion('inv-77', { result: 'yes' });
    side.write(data('ME', answer));
    const { message } = await side.frame(MessageType.ClientCompletion);
    expect({ ...message, payload: Buffer.from(message.payload).toString() }).toEqual({
      type: MessageType.ClientCompletion,
      ...ids,
      callerServerId: scene.app.serverId,
      protocol: 'json',
      payload: answer,
    });
  });

  it('waits no longer than its signal says', async () => {
    await using scene = await Scene.start();
    const side = await scene.client('ME');
    const { clients } = await scene.lend('ME', side);
    const abort = new AbortController();
    const answer = clients.client('REMOTE').invoke('ask', [], abort.signal);
    abort.abort();
    await expect(answer).rejects.toThrow('Invocation canceled by the server.');
  });

  it('lets a hub call ask its own caller where calls may run in parallel', async () => {
    const hubOptions = { maximumParallelInvocationsPerClient: 2 };
    await using scene = await Scene.start({ hubOptions });
    const side = await scene.client('ME');
    const { clients } = await scene.lend('ME', side);
    const answer = clients.caller.invoke('ask', []);
    const { message } = await side.frame(MessageType.ClientInvocation);
    side.write(data('ME', completion(message.invocationId, { result: 1 })));
    expect(await answer).toBe(1);
  });

  it('lets no hub call ask its own caller where they may not', async () => {
    await using scene = await Scene.start();
    const { clients } = await scene.lend('ME', await scene.client('ME'));
    await expect(clients.caller.invoke('ask', [])).rejects.toThrow(
      'MaximumParallelInvocationsPerClient',
    );
  });
});

describe('client results at 1.15.2', () => {
  it('are not implemented, and nothing is sent', async () => {
    await using scene = await Scene.start({ profile: '1.15.2' });
    const side = await scene.client('ME');
    const { clients } = await scene.lend('ME', side);
    await expect(clients.client('X').invoke('ask', [])).rejects.toMatchObject({
      name: 'NotImplementedException',
    });
    side.write({
      type: MessageType.ClientInvocation,
      invocationId: 'i',
      connectionId: 'ME',
      callerServerId: 's',
      payloads: NO_PAYLOADS,
    });
    expect(await scene.answers('ME', side)).toBe(true);
    expect(side.messages.filter(({ type }) => type > 30)).toEqual([]);
    expect(scene.logged).toEqual(['ErrorProcessingMessages: Not supported.']);
  });
});
