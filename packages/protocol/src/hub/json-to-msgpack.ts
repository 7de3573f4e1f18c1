import { ProtocolError } from '../errors.ts';
import type { ByteWriter } from '../service/byte-writer.ts';
import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  isSpace,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipSpace,
  stringEnd,
} from './json-scan.ts';

/** Arrays and objects that may be nested: as deep as hub messages of clients may be. */
const MAX_LEVELS = 100;
const FLOAT_64 = 0xcb;
const UINT_64 = 0xcf;
const INT_64 = 0xd3;
const LETTER = { f: 0x66, n: 0x6e, t: 0x74 } as const;
/** Decimal digits that fit a number without loss. */
const SAFE_DIGITS = 15;
/** Digits that fit 64 bits, with a sign: to read a number of thousands of them exactly takes time. */
const MOST_DIGITS = 20;

/**
 * Writes the JSON value at `start` as MessagePack: integers as such up to 64 bits, in their shortest
 * form, what has a fraction or an exponent as a 64-bit float, everything else as what it is, in its
 * order (REST reference, section 1.9). The text has to be valid JSON, which `JSON.parse` says.
 * Answers the index behind the value. Throws ProtocolError `too-deep`.
 */
export function writeJsonAsMessagePack(
  out: ByteWriter,
  bytes: Buffer,
  start: number,
  end: number,
  level = 0,
): number {
  const at = skipSpace(bytes, start, end);
  switch (bytes[at]) {
    case QUOTE:
      return writeText(out, bytes, at, end);
    case OPEN_BRACE:
    case OPEN_BRACKET:
      if (level === MAX_LEVELS) throw new ProtocolError('too-deep', at, 'values nest too deeply');
      return writeItems(out, bytes, at, end, level + 1);
    case LETTER.t:
      out.boolean(true);
      return at + 4;
    case LETTER.f:
      out.boolean(false);
      return at + 5;
    case LETTER.n:
      out.nil();
      return at + 4;
    default:
      return writeNumber(out, bytes, at, end);
  }
}

/** Most strings have no escapes, so that their bytes are the text. */
function writeText(out: ByteWriter, bytes: Buffer, open: number, end: number): number {
  const after = stringEnd(bytes, open, end);
  const inside = bytes.subarray(open + 1, after - 1);
  if (inside.includes(BACKSLASH))
    out.text(JSON.parse(bytes.toString('utf8', open, after)) as string);
  else out.textBytes(inside);
  return after;
}

function writeItems(
  out: ByteWriter,
  bytes: Buffer,
  open: number,
  end: number,
  level: number,
): number {
  const isMap = bytes[open] === OPEN_BRACE;
  const start = out.beginItems();
  let count = 0;
  let at = skipSpace(bytes, open + 1, end);
  while (bytes[at] !== CLOSE_BRACE && bytes[at] !== CLOSE_BRACKET) {
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1, end);
    if (isMap) at = skipSpace(bytes, writeText(out, bytes, at, end), end) + 1;
    at = skipSpace(bytes, writeJsonAsMessagePack(out, bytes, at, end, level), end);
    count++;
  }
  out.endItems(start, count, isMap ? 'map' : 'array');
  return at + 1;
}

function writeNumber(out: ByteWriter, bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && !endsNumber(bytes[at]!)) at++;
  const text = bytes.toString('latin1', start, at);
  if (text.length > MOST_DIGITS || /[.eE]/.test(text)) writeFloat(out, Number(text));
  else if (text.length <= SAFE_DIGITS) writeInteger(out, Number(text));
  else writeBigInteger(out, BigInt(text));
  return at;
}

function endsNumber(byte: number): boolean {
  return byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte);
}

function writeInteger(out: ByteWriter, value: number): void {
  if (value >= -0x8000_0000) out.int(value);
  else writeBigInteger(out, BigInt(value));
}

/** What no integer of MessagePack holds is a float, as it is for who reads it as a number. */
function writeBigInteger(out: ByteWriter, value: bigint): void {
  if (value >= -0x8000_0000n && value <= BigInt(Number.MAX_SAFE_INTEGER)) {
    return out.int(Number(value));
  }
  if (value < -(2n ** 63n) || value >= 2n ** 64n) return writeFloat(out, Number(value));
  out.byte(value < 0n ? INT_64 : UINT_64);
  out.reserve(8);
  out.length = out.buffer.writeBigUInt64BE(BigInt.asUintN(64, value), out.length);
}

function writeFloat(out: ByteWriter, value: number): void {
  out.byte(FLOAT_64);
  out.reserve(8);
  out.length = out.buffer.writeDoubleBE(value, out.length);
}
