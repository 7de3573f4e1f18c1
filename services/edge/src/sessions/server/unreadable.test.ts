import { decodeServiceMessage, MessageType, ProtocolError } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';
import { bodyOf } from '../../../../../packages/protocol/src/service/frames.test-support.ts';
import {
  frameOf,
  mutations,
} from '../../../../../packages/protocol/src/service/mutations.test-support.ts';
import {
  OTHER_FORMS,
  VECTORS,
  vectorBytes,
} from '../../../../../packages/protocol/src/service/vectors/index.ts';
import { counted, TestEdge } from '../fixtures.test-support.ts';

const framed = (hex: string): Buffer => frameOf(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

const isReadable = (body: Buffer): boolean => {
  try {
    decodeServiceMessage(body);
    return true;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return false;
  }
};

describe('a message that cannot be read, in a frame that can', () => {
  test.each([...VECTORS, ...OTHER_FORMS].map((vector) => [vector.name, vector] as const))(
    'costs no connection, and the next is heard: %s, each element wrong in every way',
    async (_name, vector) => {
      const edge = new TestEdge();
      const server = await edge.server();
      let unreadable = 0;
      for (const { body } of mutations(bodyOf(vectorBytes(vector)))) {
        if (isReadable(body)) continue;
        server.socket.receive(frameOf(body));
        unreadable++;
        server.says({
          type: MessageType.CheckUserExistenceWithAck,
          userId: 'x',
          ackId: unreadable,
        });
        expect((await server.heard()).at(-1)).toEqual(['ack', unreadable, 2]);
      }
      const counts = Object.values(counted(edge.context.counters.unreadableMessages));
      expect(counts).toEqual(unreadable === 0 ? [] : [unreadable]);
    },
  );

  test.each([
    ['a join', '95 12 01 a167 07 80'],
    ['a join without a group', '95 12 a163 c3 07 80'],
    ['a close of many', '95 1f 01 07 90 80'],
    ['a question about a group', '97 28 80 01 07 c0 c0 c0'],
    ['a question with a wrong page size', '97 28 80 a167 07 c0 c0 a178'],
  ])('is answered with an error where an ack is asked for: %s', async (_what, hex) => {
    const edge = new TestEdge();
    const server = await edge.server();
    server.socket.receive(framed(hex));
    expect(await server.heard()).toEqual([['ack', 7, 4]]);
  });

  test.each([
    ['an ack', '96 14 07 01 01 80 c0'],
    ['a join that wants none', '94 0b 01 a167 80'],
    ['a join whose ack id is wrong itself', '95 12 a163 a167 a131 80'],
    ['nothing that is known', 'a161'],
  ])('is answered by nothing where nobody waits, or nobody knows who: %s', async (_what, hex) => {
    const edge = new TestEdge();
    const server = await edge.server();
    server.socket.receive(framed(hex));
    expect(await server.heard()).toEqual([]);
    expect(server.socket.isOpen).toBe(true);
  });

  test('ends who waits for the result of a client', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    server.socket.receive(framed('96 22 a169 a163 a173 01 80'));
    expect(await server.messages()).toMatchObject([
      {
        type: MessageType.ErrorCompletion,
        invocationId: 'i',
        connectionId: 'c',
        callerServerId: 's',
      },
    ]);
  });

  test('is no service handshake', async () => {
    const edge = new TestEdge();
    const server = edge.strangeServer();
    server.socket.receive(framed('93 01 a131 00'));
    expect(server.socket.isOpen).toBe(false);
  });
});
