import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RecordBuffer } from '../hub/record-buffer.ts';
import { anyMessage } from './arbitrary.test-support.ts';
import { ByteWriter } from './byte-writer.ts';
import { encodeServiceMessage, writeServiceMessage } from './encode.ts';
import { announcedLength, bodyOf, bytes, decodeFrame } from './frames.test-support.ts';
import { MAX_SERVICE_MESSAGE_BYTES } from './limits.ts';
import type { JoinGroup, ServiceMessage } from './message.ts';
import { MessageType } from './message.ts';
import { OTHER_FORMS, VECTORS, vectorBytes } from './vectors/index.ts';

describe('golden vectors', () => {
  test.each(VECTORS)('$name', (vector) => {
    const frame = vectorBytes(vector);
    expect(announcedLength(frame)).toBe(bodyOf(frame).length);
    expect(decodeFrame(frame)).toStrictEqual(vector.message);
    expect(encodeServiceMessage(vector.message).toString('hex')).toBe(frame.toString('hex'));
  });

  test.each(OTHER_FORMS)('reads $name', (vector) => {
    const frame = vectorBytes(vector);
    expect(announcedLength(frame)).toBe(bodyOf(frame).length);
    expect(decodeFrame(frame)).toStrictEqual(vector.message);
  });

  test('every message has one', () => {
    const seen = new Set<number>(VECTORS.map((vector) => vector.message.type));
    expect(Object.entries(MessageType).filter(([, type]) => !seen.has(type))).toEqual([]);
  });
});

describe('any message', () => {
  test('reads back as it was written', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const frame = encodeServiceMessage(message);
        expect(announcedLength(frame)).toBe(bodyOf(frame).length);
        const decoded = decodeFrame(frame);
        expect(decoded).toStrictEqual(message);
        expect(encodeServiceMessage(decoded!).equals(frame)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('reads the same from the middle of other bytes', () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(9), fc.nat(9), (message, before, after) => {
        const frame = encodeServiceMessage(message);
        const around = new Uint8Array(before + frame.length + after).fill(0x81);
        around.set(frame, before);
        expect(decodeFrame(around, before, before + frame.length)).toStrictEqual(message);
      }),
    );
  });
});

describe('a stream of messages', () => {
  const shortMessages = VECTORS.filter((vector) => vector.hex.length < 1000).map(
    (vector) => vector.message,
  );

  test('gives the same messages when cut into any pieces', () => {
    const sizes = fc.array(fc.nat(400), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 12 }), sizes, (messages, lengths) => {
        expect(readPieces(pieces(stream(messages), lengths))).toStrictEqual(messages);
      }),
    );
  });

  test('gives the same messages when cut in two at every place', () => {
    const whole = stream(shortMessages);
    for (let at = 0; at <= whole.length; at++) {
      const read = readPieces([whole.subarray(0, at), whole.subarray(at)]);
      expect(stream(read).equals(whole), `cut at ${at}`).toBe(true);
    }
  });

  test('gives the same messages byte by byte', () => {
    const single = Array.from(stream(shortMessages), (byte) => Uint8Array.of(byte));
    expect(readPieces(single)).toStrictEqual(shortMessages);
  });
});

describe('writing', () => {
  test('leaves out extensions that are not set, data type 0 and false among them', () => {
    const plain = {
      type: MessageType.ConnectionData,
      connectionId: 'c',
      payload: bytes('01'),
    } as const;
    expect(encodeServiceMessage({ ...plain, dataType: 0, partial: false })).toStrictEqual(
      encodeServiceMessage(plain),
    );
  });

  test('keeps a time to live of 0', () => {
    const { UserJoinGroup: type } = MessageType;
    const message = { type, userId: 'u', group: 'g', ttl: 0 };
    expect(decodeFrame(encodeServiceMessage(message))).toStrictEqual(message);
  });

  test('appends nothing when a field has no value of its type', () => {
    const writer = new ByteWriter();
    writeServiceMessage(writer, { type: MessageType.Ping, entries: ['a', 'b'] });
    const before = Buffer.from(writer.view());
    const broken: Partial<JoinGroup> = { type: MessageType.JoinGroup, connectionId: 'c1' };
    expect(() => writeServiceMessage(writer, broken as JoinGroup)).toThrow(TypeError);
    expect(writer.view()).toStrictEqual(before);
  });
});

function stream(messages: readonly ServiceMessage[]): Buffer {
  const writer = new ByteWriter(16);
  for (const message of messages) writeServiceMessage(writer, message);
  return writer.view();
}

function pieces(whole: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const cut: Uint8Array[] = [];
  let at = 0;
  for (const length of lengths) {
    cut.push(whole.slice(at, at + length));
    at += length;
  }
  return [...cut, whole.slice(at)];
}

function readPieces(chunks: readonly Uint8Array[]): ServiceMessage[] {
  const records = new RecordBuffer(true, MAX_SERVICE_MESSAGE_BYTES);
  const read: ServiceMessage[] = [];
  for (const chunk of chunks) {
    records.push(chunk, (from, start, end) => {
      read.push(decodeFrame(Buffer.from(from.buffer, from.byteOffset), start, end)!);
    });
  }
  expect(records.held).toBe(0);
  return read;
}
