import { AckStatus, MessageType } from '@trunkline/protocol';
import { expect, test } from 'vitest';

import { until } from '../fake-service.test-support.ts';
import { serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import { Acks } from './acks.ts';
import type { ServerConnection } from './server-connection.ts';

class Chat extends Hub {}

test('a lost server connection takes its own acks with it, and no other', async () => {
  const { service, hub } = await serve(Chat, { server: { connectionCount: 2 } });
  await until(() => service.live.length === 2, 'both connections');
  const [lost, kept] = service.live as [(typeof service.live)[0], (typeof service.live)[0]];
  const outcomes = new Map<string, Promise<string>>();
  const asked = (connection: typeof lost) => connection.ofType(MessageType.JoinGroupWithAck);
  // Which connection a group change takes hangs on the client's id.
  for (let n = 0; asked(lost).length === 0 || asked(kept).length === 0; n++) {
    const joined = hub.groups.add(`c${n}`, 'g');
    outcomes.set(
      `c${n}`,
      joined.then(
        () => 'joined',
        (error: Error) => error.message,
      ),
    );
    await until(() => asked(lost).length + asked(kept).length === n + 1, 'the request');
  }
  lost.socket.terminate();
  for (const { connectionId } of asked(lost)) {
    expect(await outcomes.get(connectionId)).toContain('the server connection was lost');
  }
  for (const { ackId, connectionId } of asked(kept)) {
    kept.send({ type: MessageType.Ack, ackId, status: AckStatus.Ok, message: '' });
    expect(await outcomes.get(connectionId)).toBe('joined');
  }
});

test('so many may be awaited, and no more until some have been answered', async () => {
  const acks = new Acks();
  const sent: number[] = [];
  const ask = () => acks.ask('asking', {} as ServerConnection, 0, (ackId) => sent.push(ackId));
  const answer = (ackId: number) =>
    acks.settle({ type: MessageType.Ack, ackId, status: AckStatus.Ok, message: '' });
  const asked = Array.from({ length: 250_000 }, ask);
  await expect(ask()).rejects.toMatchObject({ code: 'outbound-full' });
  expect(sent).toHaveLength(250_000);
  answer(sent[7]!);
  expect(await asked[7]).toMatchObject({ ackId: sent[7] });
  asked.push(ask());
  await expect(ask()).rejects.toMatchObject({ code: 'outbound-full' });
  for (const ackId of sent) answer(ackId);
  await Promise.all(asked);
});
