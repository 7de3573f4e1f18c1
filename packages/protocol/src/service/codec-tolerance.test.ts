import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyMessage } from './arbitrary.test-support.ts';
import { ByteReader } from './byte-reader.ts';
import { decodeServiceMessage } from './decode.ts';
import { encodeServiceMessage } from './encode.ts';
import { bodyOf, bytes } from './frames.test-support.ts';
import { MAX_DEPTH } from './limits.ts';
import type { ServiceMessage } from './message.ts';
import { MessageType } from './message.ts';

/** Service protocol reference, section 5.4: what a reader takes without a word. */

const CONNECTION_DATA = '94 06 a26331 c40161';

test('elements behind those that are known are passed over', () => {
  const appended = fc.constantFrom('01', 'c0', 'a178', '81a17801', '92c20a', 'cb3ff8000000000000');
  fc.assert(
    fc.property(anyMessage.filter(isComplete), fc.array(appended), (message, extra) => {
      const body = bodyOf(encodeServiceMessage(message));
      fc.pre((body[0]! & 0x0f) + extra.length < 16);
      body[0]! += extra.length;
      expect(decodeServiceMessage(Buffer.concat([body, bytes(...extra)]))).toStrictEqual(message);
    }),
  );
});

test('bytes behind the array are passed over', () => {
  fc.assert(
    fc.property(anyMessage, fc.uint8Array(), (message, rest) => {
      const body = Buffer.concat([bodyOf(encodeServiceMessage(message)), rest]);
      expect(decodeServiceMessage(body)).toStrictEqual(message);
    }),
  );
});

test('numbers and lengths may be wider than they need be', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      const wide = widened(bodyOf(encodeServiceMessage(message)));
      expect(decodeServiceMessage(wide)).toStrictEqual(message);
    }),
  );
});

test.each([
  '91 2c',
  '94 7f a163 c1 c1',
  '92 cd0102 80',
  '92 ff 00',
  '91 00',
  '91 d3ffe0000000000001',
])('an unknown message is undefined, however it goes on: %s', (body) =>
  expect(decodeServiceMessage(bytes(body))).toBeUndefined(),
);

const ANY_VALUES = `
  01 e0 c0 c2 a178 d90178 da000178 db0000000178 9201a178 81a17801
  c40178 c5000178 c60000000178 c70155aa c8000155aa c90000000155aa
  ca3fc00000 cb3ff8000000000000 cc80 cd0100 ce00010000 cf0000000100000000
  d080 d18000 d280000000 d38000000000000000 d455aa d555aaaa d655aaaaaaaa
  d755${'aa'.repeat(8)} d855${'aa'.repeat(16)} ${'91'.repeat(MAX_DEPTH)}01
  dc00020102 dd000000020102 de00010102 df000000010102
`;

test.each(ANY_VALUES.trim().split(/\s+/))('an unknown extension is passed over: %s', (value) => {
  const body = bytes(CONNECTION_DATA, '82 63', value, '05 03');
  expect(decodeServiceMessage(body)).toMatchObject({ connectionId: 'c1', dataType: 3 });
});

test('an extension that the message has no use for is passed over', () => {
  const body = bytes('94 0b a26331 a167 82 01 07 03 a46a736f6e');
  const message = decodeServiceMessage(body);
  expect(message).toStrictEqual({
    type: MessageType.JoinGroup,
    connectionId: 'c1',
    group: 'g',
    tracingId: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 7),
  });
});

test('nil for a known extension is as good as none', () => {
  expect(decodeServiceMessage(bytes(CONNECTION_DATA, '81 05 c0'))).toStrictEqual(
    decodeServiceMessage(bytes(CONNECTION_DATA, '80')),
  );
});

test('text that is not UTF-8 reads with replacement characters', () => {
  expect(decodeServiceMessage(bytes('92 03 a3 61ff62'))).toMatchObject({ entries: ['a\ufffdb'] });
});

/** False where one more element would mean something. */
function isComplete(message: ServiceMessage): boolean {
  switch (message.type) {
    case MessageType.Ping:
      return false;
    case MessageType.HandshakeRequest:
      return message.allowStatefulReconnects !== undefined;
    case MessageType.Ack:
      return message.payload !== undefined;
    default:
      return true;
  }
}

/** The same values, every one with its widest header. */
function widened(body: Buffer): Buffer {
  const reader = new ByteReader(body);
  const out: Buffer[] = [];
  const value = (): void => {
    const tag = body[reader.offset]!;
    if (tag === 0xcf || tag === 0xc0 || tag === 0xc2 || tag === 0xc3) {
      const start = reader.offset;
      reader.skip();
      out.push(body.subarray(start, reader.offset));
    } else if (tag >= 0xc4 && tag <= 0xc6) {
      const binary = reader.binary();
      out.push(header(0xc6, binary.length), Buffer.from(binary));
    } else if (tag === 0xd6 || tag === 0xd7 || tag === 0xc7) {
      const { seconds, nanoseconds } = reader.timestamp();
      const wide = Buffer.alloc(12);
      wide.writeUInt32BE(nanoseconds, 0);
      wide.writeBigInt64BE(BigInt(seconds), 4);
      out.push(header(0xc9, wide.length), Buffer.of(0xff), wide);
    } else if ((tag >= 0xa0 && tag < 0xc0) || (tag >= 0xd9 && tag <= 0xdb)) {
      const text = Buffer.from(reader.text());
      out.push(header(0xdb, text.length), text);
    } else if ((tag >= 0x90 && tag < 0xa0) || tag === 0xdc || tag === 0xdd) {
      const count = reader.arrayHeader();
      out.push(header(0xdd, count));
      for (let i = 0; i < count; i++) value();
    } else if ((tag >= 0x80 && tag < 0x90) || tag === 0xde || tag === 0xdf) {
      const count = reader.mapHeader();
      out.push(header(0xdf, count));
      for (let i = 0; i < count * 2; i++) value();
    } else {
      const wide = Buffer.alloc(9, 0xd3);
      wide.writeBigInt64BE(BigInt(reader.int()), 1);
      out.push(wide);
    }
  };
  value();
  return Buffer.concat(out);
}

function header(tag: number, count: number): Buffer {
  const bytes = Buffer.alloc(5, tag);
  bytes.writeUInt32BE(count, 1);
  return bytes;
}
