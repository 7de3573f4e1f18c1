import type { ByteWriter } from '@trunkline/protocol';
import { timestampOf } from '@trunkline/protocol';

import { PreciseDate } from './precise-date.ts';
import {
  bigIntRefused,
  bytesOf,
  checkDepth,
  hasJsonForm,
  listOf,
  MessagePackExtension,
} from './values.ts';

const FLOAT_64 = 0xcb;
const UINT_64 = 0xcf;
const INT_64 = 0xd3;
const EXT_8 = 0xc7;
const EXT_32 = 0xc9;

/**
 * Writes a value as MessagePack. Like JSON, it leaves out members that are undefined, functions or
 * symbols, and such values are nil elsewhere; a toJSON is asked. Throws TypeError for what
 * MessagePack cannot carry, and whatever a getter or a toJSON throws.
 */
export function writeValue(out: ByteWriter, value: unknown, useBigInt: boolean, depth = 0): void {
  if (typeof value === 'string') out.text(value);
  else if (typeof value === 'number') writeNumber(out, value);
  else if (typeof value === 'boolean') out.boolean(value);
  else if (typeof value === 'object' && value !== null) writeObject(out, value, useBigInt, depth);
  else if (typeof value === 'bigint') {
    if (!useBigInt) throw bigIntRefused();
    writeBigInt(out, value);
  } else out.nil();
}

/** Integers as such up to 64 bits: .NET reads no long, nor any other integer, off a float. */
function writeNumber(out: ByteWriter, value: number): void {
  if (!Number.isInteger(value) || value < -(2 ** 63) || value >= 2 ** 64) {
    out.byte(FLOAT_64);
    out.reserve(8);
    out.length = out.buffer.writeDoubleBE(value, out.length);
  } else if (value >= -0x8000_0000 && value <= Number.MAX_SAFE_INTEGER) out.int(value);
  else writeBigInt(out, BigInt(value));
}

function writeBigInt(out: ByteWriter, value: bigint): void {
  if (value >= -0x8000_0000n && value <= BigInt(Number.MAX_SAFE_INTEGER)) {
    out.int(Number(value));
    return;
  }
  if (value < 0n ? value < -(2n ** 63n) : value >= 2n ** 64n) {
    throw new TypeError(`${value} has more than the 64 bits of a MessagePack integer`);
  }
  out.byte(value < 0n ? INT_64 : UINT_64);
  out.reserve(8);
  out.length = out.buffer.writeBigUInt64BE(BigInt.asUintN(64, value), out.length);
}

function writeObject(out: ByteWriter, value: object, useBigInt: boolean, depth: number): void {
  checkDepth(depth);
  if (Array.isArray(value)) writeList(out, value, useBigInt, depth);
  else if (Object.getPrototypeOf(value) === Object.prototype && !Object.hasOwn(value, 'toJSON')) {
    writeMembers(out, value, useBigInt, depth);
  } else writeSpecial(out, value, useBigInt, depth);
}

function writeSpecial(out: ByteWriter, value: object, useBigInt: boolean, depth: number): void {
  const bytes = bytesOf(value);
  const list = bytes === undefined ? listOf(value) : undefined;
  if (bytes !== undefined) out.binary(bytes);
  else if (list !== undefined) writeList(out, list, useBigInt, depth);
  else if (value instanceof Date) writeDate(out, value);
  else if (value instanceof Map) writeMap(out, value, useBigInt, depth);
  else if (value instanceof MessagePackExtension) writeExtension(out, value.type, value.data);
  else if (hasJsonForm(value)) writeValue(out, value.toJSON(''), useBigInt, depth + 1);
  else writeMembers(out, value, useBigInt, depth);
}

function writeList(out: ByteWriter, list: readonly unknown[], useBigInt: boolean, depth: number) {
  out.arrayHeader(list.length);
  for (const item of list) writeValue(out, item, useBigInt, depth + 1);
}

function writeMap(
  out: ByteWriter,
  map: ReadonlyMap<unknown, unknown>,
  useBigInt: boolean,
  depth: number,
): void {
  out.mapHeader(map.size);
  for (const [key, value] of map) {
    writeValue(out, key, useBigInt, depth + 1);
    writeValue(out, value, useBigInt, depth + 1);
  }
}

/** Each member is read once, as a getter may answer anything. */
function writeMembers(out: ByteWriter, value: object, useBigInt: boolean, depth: number): void {
  const members = value as Readonly<Record<string, unknown>>;
  const names = Object.keys(members);
  const values = names.map((name) => members[name]);
  out.mapHeader(values.reduce<number>((count, one) => (isLeftOut(one) ? count : count + 1), 0));
  for (const [at, name] of names.entries()) {
    if (isLeftOut(values[at])) continue;
    out.text(name);
    writeValue(out, values[at], useBigInt, depth + 1);
  }
}

function isLeftOut(value: unknown): boolean {
  return value === undefined || typeof value === 'function' || typeof value === 'symbol';
}

/** An invalid date is nil, as in JSON. */
function writeDate(out: ByteWriter, date: Date): void {
  const milliseconds = date.getTime();
  if (Number.isNaN(milliseconds)) out.nil();
  else {
    const behind = date instanceof PreciseDate ? date.nanoseconds : 0;
    out.timestamp(timestampOf(milliseconds, behind));
  }
}

function writeExtension(out: ByteWriter, type: number, data: Uint8Array): void {
  const size = data.length;
  if (size <= 16 && size > 0 && (size & (size - 1)) === 0) out.byte(0xd4 + Math.log2(size));
  else if (size < 0x100) {
    out.byte(EXT_8);
    out.byte(size);
  } else {
    out.byte(EXT_32);
    out.reserve(4);
    out.length = out.buffer.writeUInt32BE(size, out.length);
  }
  out.byte(type & 0xff);
  out.raw(data);
}
