import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyMessage } from './arbitrary.test-support.ts';
import { ByteWriter } from './byte-writer.ts';
import { encodeServiceMessage } from './encode.ts';
import {
  ConnectionDataView,
  readConnectionData,
  writeConnectionData,
  writeConnectionDataHead,
} from './connection-data.ts';
import { bytes, decodeFrame } from './frames.test-support.ts';
import { MessageType } from './message.ts';
import { VECTORS, vectorBytes } from './vectors/index.ts';

const id = fc.string({ unit: 'binary-ascii', maxLength: 31 });
const size = fc.oneof(
  fc.nat(70_000),
  fc.nat(200),
  fc.constantFrom(0, 63, 64, 255, 256, 65_535, 65_536),
);

/** Bytes that differ from their neighbours, so that a shifted slice shows. */
function payloadOf(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 7 + (at >> 8)) & 0xff));
}

function general(connectionId: string, payload: Uint8Array): Buffer {
  return encodeServiceMessage({ type: MessageType.ConnectionData, connectionId, payload });
}

/** What the short way says of [start, end), held against what the general decoder says. */
function compare(frame: Buffer, start = 0, end = frame.length): 'passes' | 'agrees' | 'differs' {
  const view = new ConnectionDataView();
  if (!readConnectionData(frame, start, end, view)) return 'passes';
  const { idStart, idEnd, payloadStart, payloadEnd, dataType } = view;
  const places = [start, idStart, idEnd, payloadStart, payloadEnd, end];
  if (places.some((place, at) => at > 0 && !(place >= places[at - 1]!))) return 'differs';
  const said = {
    type: MessageType.ConnectionData,
    connectionId: frame.toString('utf8', idStart, idEnd),
    payload: frame.subarray(payloadStart, payloadEnd),
    dataType,
  };
  const decoded = { dataType: 0, ...decodeFrame(frame, start, end) };
  return isDeepStrictEqual(said, decoded) ? 'agrees' : 'differs';
}

describe('writeConnectionData', () => {
  test('writes what the general codec writes', () => {
    fc.assert(
      fc.property(id, size, fc.nat(5), fc.nat(5), (connectionId, length, before, after) => {
        const payload = payloadOf(length);
        const around = Buffer.concat([Buffer.alloc(before, 1), payload, Buffer.alloc(after, 2)]);
        const writer = new ByteWriter(1);
        writeConnectionData(writer, connectionId, around, before, before + length);
        expect(writer.view().equals(general(connectionId, payload))).toBe(true);
      }),
    );
  });

  test('writes one behind the other, whatever room is left', () => {
    const expected: Buffer[] = [];
    const writer = new ByteWriter(1);
    for (let length = 0; length < 300; length++) {
      const connectionId = 'abcdefghijklmnopqrstuvwxyz01234'.slice(0, length % 32);
      const payload = payloadOf(length);
      writeConnectionData(writer, connectionId, payload, 0, length);
      expected.push(general(connectionId, payload));
    }
    expect(writer.view().equals(Buffer.concat(expected))).toBe(true);
  });

  test.each([
    ['too long', 'a'.repeat(32)],
    ['far too long', 'a'.repeat(5000)],
    ['not ASCII', 'é'],
    ['not ASCII, of low bytes', '\u0141'],
  ])('throws and appends nothing for an id that is %s', (_, connectionId) => {
    const writer = new ByteWriter(16);
    writeConnectionData(writer, 'c1', payloadOf(9), 0, 9);
    expect(() => writeConnectionData(writer, connectionId, payloadOf(9), 0, 9)).toThrow(RangeError);
    expect(writer.view()).toStrictEqual(general('c1', payloadOf(9)));
  });
});

test('writeConnectionDataHead needs only the payload and the byte 0x80 behind it', () => {
  fc.assert(
    fc.property(id, size, (connectionId, length) => {
      const payload = payloadOf(length);
      const writer = new ByteWriter(1);
      writeConnectionDataHead(writer, connectionId, length);
      writer.raw(payload);
      writer.byte(0x80);
      expect(writer.view().equals(general(connectionId, payload))).toBe(true);
    }),
  );
});

describe('readConnectionData', () => {
  test('reads what either writer writes, from the middle of other bytes', () => {
    const around = fc.uint8Array({ maxLength: 5 });
    const dataType = fc.integer({ min: 1, max: 127 });
    fc.assert(
      fc.property(id, size, dataType, around, around, (connectionId, length, type, left, right) => {
        const payload = payloadOf(length);
        const typed = encodeServiceMessage({
          type: MessageType.ConnectionData,
          connectionId,
          payload,
          dataType: type,
        });
        for (const frame of [general(connectionId, payload), typed]) {
          const all = Buffer.concat([left, frame, right]);
          expect(compare(all, left.length, left.length + frame.length)).toBe('agrees');
        }
      }),
    );
  });

  test('clears what the view said of the message before', () => {
    const view = new ConnectionDataView();
    const closing = bytes('0b 94 06 a26331 c40161 81 05 04');
    expect(readConnectionData(closing, 0, closing.length, view)).toBe(true);
    expect(view.dataType).toBe(4);
    for (const plain of [bytes('09 94 06 a26331 c40161 80'), bytes('08 93 06 a26331 c40161')]) {
      expect(readConnectionData(plain, 0, plain.length, view)).toBe(true);
      expect(view.dataType).toBe(0);
      view.dataType = 4;
    }
  });

  test('agrees with the general decoder on every vector, and on no other message', () => {
    const results = VECTORS.map((vector) => [vector.name, compare(vectorBytes(vector))] as const);
    const short = results.filter(([, result]) => result === 'agrees').map(([name]) => name);
    expect(results.filter(([, result]) => result === 'differs')).toEqual([]);
    expect(short.map((name) => name.split(' ')[0])).toEqual(['27', '30', '62', '20.1']);
  });

  test('agrees with the general decoder on any message', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const frame = encodeServiceMessage(message);
        expect(compare(frame)).not.toBe('differs');
      }),
    );
  });

  test.each([
    ['payload without a size, 8 bits', '05 93 06 a161 c4'],
    ['payload without a size, 16 bits', '06 93 06 a161 c500'],
    ['payload without a size, 32 bits', '08 93 06 a161 c6000000'],
    ['payload beyond the end', '07 93 06 a161 c40261'],
    ['payload of 4 G', '0a 93 06 a161 c6ffffffff61'],
    ['payload of 16 M', `b602 94 06 a161 c601000000 ${'80'.repeat(301)}`],
    ['text for a payload', '0a 94 06 a161 a400000000 80'],
    ['id beyond the end', '05 93 06 bf6161'],
    ['no payload', '04 93 06 a161'],
    ['no extensions', '07 94 06 a161 c40161'],
    ['extensions without a value', '09 94 06 a161 c40161 8105'],
    ['more elements than there are bytes', '08 9f 06 a161 c40161 80'],
    ['type of two bytes, which the general decoder takes', '09 94 cc06 a161 c40161 80'],
    ['nil for a payload, which the general decoder takes', '06 94 06 a161 c0 80'],
    ['part of a message, which the view cannot say', '0a 94 06 a161 c40161 8106c3'],
    ['nothing', '00'],
    ['no bytes', ''],
    ['a prefix that does not end', '8080'],
  ])('says nothing of a frame with %s', (_, hex) => {
    const frame = bytes(hex);
    for (const behind of ['', '00000000000000000000', '80808080808080808080', 'c4016180c4016180']) {
      const view = new ConnectionDataView();
      const all = Buffer.concat([frame, bytes(behind)]);
      expect(readConnectionData(all, 0, frame.length, view)).toBe(false);
    }
  });

  test('never says anything of its own for a frame with any bit turned or cut anywhere', () => {
    for (const hex of ['09 94 06 a26331 c40161 80', '0d 94 06 a26331 c4037b7d1e 81 05 01']) {
      const frame = bytes(hex);
      for (let bit = 8; bit < frame.length * 8; bit++) {
        const turned = Buffer.from(frame);
        turned[bit >> 3]! ^= 1 << (bit & 7);
        expect(compare(turned)).not.toBe('differs');
        expect(compare(Buffer.concat([turned, frame]), 0, turned.length)).not.toBe('differs');
      }
      for (let end = 1; end < frame.length; end++) {
        expect(compare(frame, 0, end)).toBe('passes');
        expect(compare(frame.subarray(0, end))).toBe('passes');
      }
    }
  });

  test('never says anything of its own for any bytes', () => {
    const header = fc.constantFrom(0x93, 0x94, 0x06, 0xa1, 0xc4, 0xc5, 0xc6, 0x80, 0x81, 0x05, 0);
    const body = fc.array(fc.oneof({ weight: 5, arbitrary: header }, fc.nat(255)), {
      maxLength: 24,
    });
    fc.assert(
      fc.property(body, fc.uint8Array({ maxLength: 8 }), (digits, behind) => {
        const frame = Buffer.of(digits.length + 2, 0x94, 0x06, ...digits);
        expect(compare(frame)).not.toBe('differs');
        expect(compare(Buffer.concat([frame, behind]), 0, frame.length)).not.toBe('differs');
      }),
      { numRuns: 3000 },
    );
  });
});
