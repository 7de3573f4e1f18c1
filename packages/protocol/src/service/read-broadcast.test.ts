import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyMessage } from './arbitrary.test-support.ts';
import { decodeServiceMessage, readServiceMessage, UnreadableMessage } from './decode.ts';
import { encodeServiceBody } from './encode.ts';
import type { BroadcastData, GroupBroadcastData, ServiceMessage } from './message.ts';
import { MessageType } from './message.ts';
import { readBroadcast } from './read-broadcast.ts';

const payloads = new Map([
  ['json', Buffer.from('{"type":6}\x1e')],
  ['messagepack', Buffer.from([2, 0x91, 6])],
]);
const BROADCAST: BroadcastData = {
  type: MessageType.BroadcastData,
  excludedConnectionIds: ['a', 'b'],
  payloads,
};
const TO_GROUP: GroupBroadcastData = {
  type: MessageType.GroupBroadcastData,
  group: 'g',
  excludedConnectionIds: [],
  payloads,
  excludedUserIds: ['ann'],
  callerUserId: undefined,
};
const SENDS = [BROADCAST, TO_GROUP, { ...TO_GROUP, callerUserId: 'bob' }] as const;

const text = fc.string({ unit: 'binary', maxLength: 40 });
const texts = fc.array(text, { maxLength: 20 });
const binary = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const anyPayloads = fc.array(fc.tuple(text, binary), { maxLength: 4 }).map((all) => new Map(all));
const anySend: fc.Arbitrary<BroadcastData | GroupBroadcastData> = fc.oneof(
  fc.record(
    {
      type: fc.constant(MessageType.BroadcastData),
      excludedConnectionIds: texts,
      payloads: anyPayloads,
    },
    { noNullPrototype: true },
  ),
  fc.record(
    {
      type: fc.constant(MessageType.GroupBroadcastData),
      group: text,
      excludedConnectionIds: texts,
      payloads: anyPayloads,
      excludedUserIds: texts,
      callerUserId: fc.option(text, { nil: undefined }),
    },
    { noNullPrototype: true },
  ),
);

function read(body: Uint8Array, start = 0, end = body.length): ServiceMessage | undefined {
  const send = readBroadcast(body, start, end);
  return send && { ...send, payloads: new Map(send.payloads) };
}

describe('sends', () => {
  test.each(SENDS)('are read as any message is: $type', (message) => {
    const body = encodeServiceBody(message);
    expect(read(body)).toStrictEqual(message);
    expect(read(body)).toStrictEqual(decodeServiceMessage(body));
  });

  test.each(SENDS)('are read from the middle of other bytes: $type', (message) => {
    const body = encodeServiceBody(message);
    const around = Buffer.concat([Buffer.alloc(3, 0x81), body, Buffer.alloc(3, 0x81)]);
    expect(read(around, 3, 3 + body.length)).toStrictEqual(message);
  });

  test('to anybody, of anything, are read as they were written', () => {
    fc.assert(
      fc.property(anySend, (message) => {
        expect(read(encodeServiceBody(message))).toStrictEqual(message);
      }),
    );
  });

  test('are told from messages of any other kind', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(read(encodeServiceBody(message)) ?? message).toStrictEqual(message);
      }),
    );
  });

  test('that are cut, or have any byte changed, are never read otherwise', () => {
    for (const message of SENDS) {
      const body = encodeServiceBody(message);
      for (let at = 0; at < body.length; at++) {
        expect(read(body, 0, at)).toBeUndefined();
        for (const value of [0x00, 0x80, 0x90, 0xa0, 0xc0, 0xc1, 0xc4, 0xdd, 0xff]) {
          const changed = Buffer.from(body);
          changed[at] = value;
          const whole = readServiceMessage(changed, 0, changed.length);
          const send = read(changed);
          if (send === undefined) continue;
          expect(whole).not.toBeInstanceOf(UnreadableMessage);
          expect(send).toStrictEqual(whole);
        }
      }
    }
  });

  test('with a payload twice count the last, as by the layouts', () => {
    const body = encodeServiceBody({
      ...BROADCAST,
      payloads: new Map([
        ['jsoM', Buffer.of(1)],
        ['json', Buffer.of(2)],
      ]),
    });
    body[body.indexOf('jsoM') + 3] = 'n'.charCodeAt(0);
    expect(readBroadcast(body, 0, body.length)!.payloads.get('json')).toEqual(Buffer.of(2));
    const { payloads: byLayout } = decodeServiceMessage(body) as BroadcastData;
    expect(byLayout.get('json')).toEqual(Buffer.of(2));
  });

  test('with an extension, and messages of other kinds, are left to the layouts', () => {
    const traced = { ...BROADCAST, tracingId: Buffer.alloc(8, 1) };
    expect(read(encodeServiceBody(traced))).toBeUndefined();
    expect(read(encodeServiceBody({ ...TO_GROUP, tracingId: Buffer.alloc(8, 1) }))).toBeUndefined();
    const toUser = { type: MessageType.UserData, userId: 'ann', payloads };
    expect(read(encodeServiceBody(toUser))).toBeUndefined();
    expect(read(Buffer.alloc(0))).toBeUndefined();
  });
});

describe('payloads where they lie', () => {
  const send = readBroadcast(encodeServiceBody(BROADCAST), 0, encodeServiceBody(BROADCAST).length)!;

  test('are found by name, the same object each time', () => {
    expect(send.payloads.size).toBe(2);
    const messagepack = send.payloads.get('messagepack');
    expect(messagepack).toEqual(payloads.get('messagepack'));
    expect(send.payloads.get('json')).toEqual(payloads.get('json'));
    expect(send.payloads.get('messagepack')).toBe(messagepack);
    expect(send.payloads.get('json')).toBe(send.payloads.get('json'));
    expect(send.payloads.get('blazorpack')).toBeUndefined();
    expect(send.payloads.get('JSON')).toBeUndefined();
  });

  test('are parts of the message, not copies', () => {
    const body = encodeServiceBody(BROADCAST);
    const found = readBroadcast(body, 0, body.length)!.payloads.get('json')!;
    expect(found.buffer).toBe(body.buffer);
  });
});
