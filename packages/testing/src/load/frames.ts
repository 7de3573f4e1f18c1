const FIN_TEXT = 0x81;
const FIN_CLOSE = 0x88;
const MASKED = 0x80;
/** Frames are masked in earnest, since unmasking is part of what a server does; one key will do. */
const MASK = [0x5a, 0xc3, 0x17, 0xe9] as const;

/** A client's text frame (RFC 6455, section 5.2) holding `text`, at most 65,535 bytes of it. */
export function textFrame(text: string): Buffer {
  return maskedFrame(FIN_TEXT, Buffer.from(text));
}

/** A client's close frame with status 1000. */
export function closeFrame(): Buffer {
  return maskedFrame(FIN_CLOSE, Buffer.from([0x03, 0xe8]));
}

function maskedFrame(head: number, payload: Buffer): Buffer {
  const { length } = payload;
  if (length > 0xffff) throw new RangeError(`a frame of ${length} bytes is over 65,535`);
  const lengthBytes = length < 126 ? [MASKED | length] : [MASKED | 126, length >> 8, length & 0xff];
  const header = [head, ...lengthBytes, ...MASK];
  const frame = Buffer.allocUnsafe(header.length + length);
  frame.set(header);
  for (let at = 0; at < length; at++) {
    frame[header.length + at] = payload[at]! ^ MASK[at & 3]!;
  }
  return frame;
}

/** Called with each frame's payload, `bytes[start]` to `bytes[end - 1]`, lent for the call. */
export type FrameHandler = (opcode: number, bytes: Buffer, start: number, end: number) => void;

/**
 * Finds the frames of a server in a stream of bytes, cut anywhere. A frame inside one chunk is
 * handed over in place; only one that is cut is copied. Fragments are handed over as they come.
 */
export class FrameReader {
  /** The beginning of a frame whose end has not come yet. */
  #rest: Buffer | undefined;

  /** Reads `chunk`'s first `size` bytes. Throws on a masked frame and on one of 4 GiB or more. */
  read(chunk: Buffer, size: number, handle: FrameHandler): void {
    let bytes = chunk;
    let end = size;
    if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, chunk.subarray(0, size)]);
      end = bytes.length;
    }
    let at = 0;
    while (end - at >= 2) {
      const size7 = bytes[at + 1]!;
      if (size7 >= MASKED) throw new Error('a server must not mask its frames');
      const start = at + (size7 < 126 ? 2 : size7 === 126 ? 4 : 10);
      if (start > end) break;
      const next = start + (size7 < 126 ? size7 : longSize(bytes, at + 2, size7));
      if (next > end) break;
      handle(bytes[at]! & 0x0f, bytes, start, next);
      at = next;
    }
    this.#rest = at === end ? undefined : Buffer.from(bytes.subarray(at, end));
  }
}

function longSize(bytes: Buffer, at: number, size7: number): number {
  if (size7 === 126) return bytes.readUInt16BE(at);
  if (bytes.readUInt32BE(at) !== 0) throw new Error('a frame of 4 GiB or more');
  return bytes.readUInt32BE(at + 4);
}
