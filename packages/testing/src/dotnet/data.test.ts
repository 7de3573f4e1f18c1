import { MessageType } from '@trunkline/protocol';
import { describe, expect, it } from 'vitest';

import {
  call,
  data,
  JSON_HANDSHAKE,
  MESSAGEPACK_HANDSHAKE,
  open,
  result,
} from './fake-service.test-support.ts';
import { frame } from './hex.test-support.ts';
import { method, stream } from './hub/definition.ts';
import { messagepackProtocol } from './hub/messagepack-protocol.ts';
import { settle } from './manual-clock.test-support.ts';
import { PROFILE_NAMES } from './profiles.ts';
import { Scene } from './scene.test-support.ts';

const counting = {
  count: stream(async function* (_call, to: number) {
    for (let n = 1; n <= to; n++) yield n;
  }),
  sum: method(async (_call, numbers: AsyncIterable<number>) => {
    let sum = 0;
    for await (const number of numbers) sum += number;
    return sum;
  }, 1),
  forever: stream(async function* ({ signal }) {
    yield 1;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }),
};

/** Service protocol reference, section 20.4. */
describe.each(PROFILE_NAMES)('data at %s', (profile) => {
  it('takes two hub messages in one message, and one over three', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.client('c1');
    side.write(data('c1', call('1', 'echo', 'a') + call('2', 'echo', 'b')));
    await scene.data(side, 'c1', result('2', 'b'));
    const [first, second, third] = [call('3', 'echo', 'c')].flatMap((text) => [
      text.slice(0, 5),
      text.slice(5, 9),
      text.slice(9),
    ]);
    side.write(data('c1', first!), data('c1', second!));
    await settle();
    side.write(data('c1', third!));
    await scene.data(side, 'c1', result('3', 'c'));
    expect(side.data('c1').join('')).toBe(
      `{}\x1e${result('1', 'a')}${result('2', 'b')}${result('3', 'c')}`,
    );
  });

  it('takes handshake and call together, in messagepack too', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.side();
    side.write(
      open('c1'),
      data('c1', Buffer.concat([JSON_HANDSHAKE, Buffer.from(call('1', 'echo', 1))])),
    );
    await scene.data(side, 'c1', result('1', 1));
    const binary = messagepackProtocol.encode({
      type: 1,
      invocationId: '1',
      target: 'echo',
      arguments: [7],
    });
    side.write(
      open('c2', { protocol: 'messagepack' }),
      data('c2', Buffer.concat([MESSAGEPACK_HANDSHAKE, binary.subarray(0, 3)])),
      data('c2', binary.subarray(3)),
    );
    const answer = await side.frame(MessageType.ConnectionData, ({ connectionId, payload }) => {
      return connectionId === 'c2' && payload.at(-1) === 7;
    });
    expect(Buffer.from(answer.message.payload).subarray(-8)).toEqual(frame('95 03 80 a131 03 07'));
  });

  it('sends what is ready as one message each, or together', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.side();
    side.write(open('c1'), data('c1', JSON_HANDSHAKE.toString() + call('1', 'echo', 1)));
    await scene.data(side, 'c1', result('1', 1));
    const sent = side
      .dataMessages('c1')
      .map(({ payload, dataType }) => [Buffer.from(payload).toString(), dataType]);
    expect(sent).toEqual(
      profile === '1.34.0'
        ? [
            ['{}\x1e', 1],
            [result('1', 1), 2],
          ]
        : [[`{}\x1e${result('1', 1)}`, undefined]],
    );
  });

  it('marks pings as such, or nothing', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.client('c1');
    await scene.clock.advance(16_000);
    await scene.data(side, 'c1', '{"type":6}\x1e');
    expect(side.dataMessages('c1').at(-1)!.dataType).toBe(profile === '1.34.0' ? 3 : undefined);
  });

  it('streams items and their end', async () => {
    await using scene = await Scene.start({ profile, methods: counting });
    const side = await scene.client('c1');
    side.write(data('c1', call('5', 'count', 2).replace('"type":1', '"type":4')));
    const [one, two, end] = [
      '{"type":2,"invocationId":"5","item":1}\x1e',
      '{"type":2,"invocationId":"5","item":2}\x1e',
      '{"type":3,"invocationId":"5"}\x1e',
    ];
    await scene.data(side, 'c1', end);
    const sent = side.data('c1').slice(1);
    expect(profile === '1.34.0' ? sent : [sent.join('')]).toEqual(
      profile === '1.34.0' ? [one, two, end] : [one + two + end],
    );
  });

  it('takes uploads and cancellations as they come', async () => {
    await using scene = await Scene.start({ profile, methods: counting });
    const side = await scene.client('c1');
    const upload = { type: 1, invocationId: '1', target: 'sum', arguments: [], streamIds: ['s'] };
    const lines = [
      upload,
      { type: 2, invocationId: 's', item: 3 },
      { type: 2, invocationId: 's', item: 4 },
      { type: 3, invocationId: 's' },
      { type: 4, invocationId: '2', target: 'forever', arguments: [] },
    ];
    for (const line of lines) side.write(data('c1', `${JSON.stringify(line)}\x1e`));
    await scene.data(side, 'c1', '{"type":2,"invocationId":"2","item":1}\x1e');
    expect(side.data('c1').join('')).toContain(result('1', 7));
    side.write(data('c1', '{"type":5,"invocationId":"2"}\x1e'));
    await scene.data(side, 'c1', '{"type":3,"invocationId":"2"}\x1e');
  });

  it('sends a result of 3 MB as one message', async () => {
    const text = 'x'.repeat(3_000_000);
    await using scene = await Scene.start({ profile, methods: { large: method(() => text) } });
    const side = await scene.client('c1');
    side.write(data('c1', call('1', 'large')));
    await scene.data(side, 'c1', result('1', text));
    expect(side.dataMessages('c1')).toHaveLength(2);
  });
});
