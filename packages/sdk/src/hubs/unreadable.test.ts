import { decodeServiceMessage, MessageType, ProtocolError } from '@trunkline/protocol';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';

import { bodyOf } from '../../../protocol/src/service/frames.test-support.ts';
import { frameOf, mutations } from '../../../protocol/src/service/mutations.test-support.ts';
import { OTHER_FORMS, VECTORS, vectorBytes } from '../../../protocol/src/service/vectors/index.ts';
import type { FakeServerConnection } from '../fake-service.test-support.ts';
import { until } from '../fake-service.test-support.ts';
import { serve } from '../harness.test-support.ts';
import { ManualClock } from '../manual-clock.test-support.ts';
import type { Server } from '../server.ts';
import { Hub } from './hub.ts';

class Chat extends Hub<{ ask(): string }> {}

const framed = (hex: string): Buffer => frameOf(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
/** In its form of up to 255 bytes. */
const textOf = (text: string): string =>
  `d9${Buffer.from([text.length]).toString('hex')}${Buffer.from(text).toString('hex')}`;

function isReadable(body: Buffer): boolean {
  try {
    decodeServiceMessage(body);
    return true;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return false;
  }
}

/** Resolves when the server has heard all that was said before. */
async function heard(trunk: FakeServerConnection, mark: string): Promise<void> {
  trunk.send({ type: MessageType.Ping, entries: ['echo', mark] });
  await until(
    () => trunk.ofType(MessageType.Ping).some(({ entries }) => entries[1] === mark),
    `the echo ${mark}`,
  );
}

async function counted(server: Server): Promise<string> {
  const registry = new Registry();
  server.metrics(registry);
  return registry.getSingleMetricAsString('trunkline_sdk_unreadable_messages_total');
}

describe('a message of the service that cannot be read, in a frame that can', () => {
  test.each([...VECTORS, ...OTHER_FORMS].map((vector) => [vector.name, vector] as const))(
    'costs no server connection, and the next is heard: %s, each element wrong in every way',
    async (_name, vector) => {
      const { server, service, trunk } = await serve(Chat, { clock: new ManualClock() });
      const client = trunk.open({ id: 'bystander' });
      await client.text(0);
      const bodies = [...mutations(bodyOf(vectorBytes(vector)))].map(({ body }) => body);
      const unreadable = bodies.filter((body) => !isReadable(body));
      for (const body of unreadable) trunk.socket.send(frameOf(body));
      await heard(trunk, 'after them');
      expect(await counted(server)).toMatch(new RegExp(`hub="chat"} ${unreadable.length}$`));
      expect([service.connections.length, trunk.closeCode]).toEqual([1, undefined]);
      expect(server.health.hubs[0]).toMatchObject({ clients: 1 });
    },
  );

  test('is told of at once, and then with a count every ten seconds, by its type', async () => {
    const clock = new ManualClock();
    const { trunk, log } = await serve(Chat, { clock });
    for (let n = 0; n < 5; n++) trunk.socket.send(framed('94 05 01 80 80'));
    await heard(trunk, 'after them');
    const first = /^hub 'chat': a message of the service cannot be read \(CloseConnection\): \S/;
    expect(log.lines).toEqual([expect.stringMatching(first)]);
    for (let second = 0; second < 11; second++) clock.advance(1000);
    const more =
      /^hub 'chat': 4 more messages of the service could not be read \(CloseConnection\), the last: \S/;
    expect(log.lines).toEqual([expect.stringMatching(first), expect.stringMatching(more)]);
  });

  test('has a client that it opens closed, which nobody would answer', async () => {
    const { trunk } = await serve(Chat);
    trunk.socket.send(framed(`96 04 ${textOf('new')} 01 80 80 a0`));
    expect(await trunk.next(MessageType.CloseConnection)).toMatchObject({
      connectionId: 'new',
      errorMessage: expect.stringContaining('OpenConnection of the service cannot be read'),
    });
  });

  test('ends a client that it closes', async () => {
    const { trunk, server } = await serve(Chat);
    await trunk.open({ id: 'gone' }).text(0);
    trunk.socket.send(framed(`94 05 ${textOf('gone')} 01 80`));
    await heard(trunk, 'after it');
    expect(server.health.hubs[0]).toMatchObject({ clients: 0 });
  });

  test('fails what asked for an ack', async () => {
    const { trunk, hub } = await serve(Chat);
    const joined = hub.groups.add('c', 'g');
    const { ackId } = await trunk.next(MessageType.JoinGroupWithAck);
    trunk.socket.send(framed(`95 14 0${ackId} a131 a0 80`));
    await expect(joined).rejects.toThrow(/Ack of the service cannot be read/);
  });

  test.each([
    ['ClientCompletion', (id: string) => `97 23 ${textOf(id)} 01 a173 a46a736f6e c400 80`],
    ['ErrorCompletion', (id: string) => `96 24 ${textOf(id)} 01 a173 a165 80`],
  ])('fails a question whose answer it is: %s', async (name, hex) => {
    const { trunk, hub } = await serve(Chat);
    const answer = hub.clients.client('elsewhere').invoke().ask();
    const { invocationId } = await trunk.next(MessageType.ClientInvocation);
    trunk.socket.send(framed(hex(invocationId)));
    await expect(answer).rejects.toThrow(`${name} of the service cannot be read`);
  });

  test('is no answer to the handshake', async () => {
    const { service } = await serve(Chat);
    service.handshakeError = undefined;
    service.live[0]!.socket.terminate();
    const next = await until(() => service.connections[1], 'another one');
    await next.next(MessageType.HandshakeRequest);
    next.socket.send(framed('93 02 01 80'));
    expect(await until(() => next.closeCode, 'its end')).toBe(1000);
    service.handshakeError = '';
  });
});
