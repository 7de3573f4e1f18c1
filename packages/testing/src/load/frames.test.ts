import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { closeFrame, FrameReader, textFrame } from './frames.ts';

/** What a server reads in a client's frame, by the letter of RFC 6455, section 5.2. */
function unmask(frame: Buffer): { head: number; payload: Buffer } {
  const size7 = frame.readUInt8(1) - 0x80;
  const maskAt = size7 < 126 ? 2 : 4;
  const size = size7 < 126 ? size7 : frame.readUInt16BE(2);
  const payload = frame.subarray(maskAt + 4);
  expect(payload.length).toBe(size);
  const unmasked = payload.map((byte, at) => byte ^ frame.readUInt8(maskAt + (at % 4)));
  return { head: frame.readUInt8(0), payload: Buffer.from(unmasked) };
}

/** A server's text frame: not masked, with its size in the shortest form. */
function serverFrame(payload: Uint8Array): Buffer {
  const { length } = payload;
  const header = length < 126 ? [0x81, length] : [0x81, 126, length >> 8, length & 0xff];
  if (length <= 0xffff) return Buffer.concat([Buffer.from(header), payload]);
  const long = Buffer.alloc(10);
  long.set([0x81, 127]);
  long.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([long, payload]);
}

/** The frames read from a stream that arrives in the given chunks, all in one reused buffer. */
function readAll(chunks: readonly Uint8Array[]): { opcode: number; payload: Buffer }[] {
  const frames: { opcode: number; payload: Buffer }[] = [];
  const shared = Buffer.alloc(Math.max(1, ...chunks.map((chunk) => chunk.length)));
  const reader = new FrameReader();
  for (const chunk of chunks) {
    shared.set(chunk);
    reader.read(shared, chunk.length, (opcode, bytes, start, end) =>
      frames.push({ opcode, payload: Buffer.from(bytes.subarray(start, end)) }),
    );
    shared.fill(0xff);
  }
  return frames;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  return [0, ...sorted].map((from, index) => bytes.subarray(from, sorted[index]));
}

describe('client frames', () => {
  it('masks text of any length', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        const { head, payload } = unmask(textFrame(text));
        expect(head).toBe(0x81);
        expect(payload.toString()).toBe(text);
      }),
    );
  });

  it('chooses the length form by the byte', () => {
    expect(textFrame('x'.repeat(125)).length).toBe(2 + 4 + 125);
    expect(textFrame('x'.repeat(126)).length).toBe(4 + 4 + 126);
    expect(unmask(textFrame('x'.repeat(65_535))).payload.length).toBe(65_535);
    expect(() => textFrame('x'.repeat(65_536))).toThrow(RangeError);
  });

  it('closes with status 1000', () => {
    expect(unmask(closeFrame())).toEqual({ head: 0x88, payload: Buffer.from([0x03, 0xe8]) });
  });
});

describe('FrameReader', () => {
  it('finds the same frames wherever the stream is cut', () => {
    const size = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(125, 126, 65_536));
    fc.assert(
      fc.property(fc.array(size, { maxLength: 8 }), fc.array(fc.nat()), (sizes, places) => {
        const payloads = sizes.map((length, index) => Buffer.alloc(length, index + 1));
        const stream = Buffer.concat(payloads.map(serverFrame));
        const frames = readAll(cut(stream, places));
        expect(frames.map((frame) => frame.payload)).toEqual(payloads);
        expect(frames.every((frame) => frame.opcode === 1)).toBe(true);
      }),
    );
  });

  it('finds frames in a stream that comes byte by byte', () => {
    const stream = Buffer.concat([Buffer.alloc(3, 1), Buffer.alloc(200, 2)].map(serverFrame));
    const frames = readAll(Array.from(stream, (byte) => Buffer.from([byte])));
    expect(frames.map((frame) => frame.payload.length)).toEqual([3, 200]);
  });

  it('tells opcodes apart', () => {
    expect(readAll([Buffer.from([0x88, 2, 3, 0xe8, 0x8a, 0])])).toEqual([
      { opcode: 8, payload: Buffer.from([3, 0xe8]) },
      { opcode: 10, payload: Buffer.alloc(0) },
    ]);
  });

  it('refuses a masked frame and one that nobody could hold', () => {
    expect(() => readAll([textFrame('x')])).toThrow('must not mask');
    expect(() => readAll([Buffer.from([0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0])])).toThrow('4 GiB');
  });
});
