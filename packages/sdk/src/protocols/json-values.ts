import { randomUUID } from 'node:crypto';

import type { InvalidDataException } from '../errors.ts';
import { utf8 } from '../utf8.ts';
import {
  bigIntRefused,
  bytesOf,
  checkDepth,
  hasJsonForm,
  inexactInteger,
  listOf,
} from './values.ts';

/** Stands before a BigInt's digits on their way through JSON.parse and JSON.stringify. Nobody else knows it. */
const MARK = randomUUID();
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, 'g');

/** Integers that a number may not hold have this many digits at least. */
const MANY_DIGITS = 16;
const POINT = 0x2e;
/** Texts, to step over them, and numbers. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;
const INTEGER = /^-?\d{16,}$/;

/**
 * Parses the JSON text at `bytes[start, end)`. Integers beyond 2^53 are BigInts where `useBigInt`;
 * elsewhere `inexact` hears of the first whose digits a number does not keep. Throws what JSON.parse
 * throws.
 */
export function parseJson(
  bytes: Uint8Array,
  start: number,
  end: number,
  useBigInt: boolean,
  inexact: (error: InvalidDataException) => void,
): unknown {
  const text = utf8(bytes, start, end);
  const value: unknown = JSON.parse(text);
  if (!hasManyDigits(bytes, start, end)) return value;
  if (useBigInt) return JSON.parse(text.replace(TOKENS, marked), unmarked);
  const lost = text.match(TOKENS)?.find((token) => INTEGER.test(token) && !isExact(token));
  if (lost !== undefined) inexact(inexactInteger(lost));
  return value;
}

/**
 * Whether there are so many digits in a row anywhere, other than behind a point. Of so many bytes in
 * a row one is always looked at, so that most messages cost a sixteenth of their length.
 */
function hasManyDigits(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start + MANY_DIGITS - 1; at < end; at += MANY_DIGITS) {
    if (!isDigit(bytes[at]!)) continue;
    let first = at;
    while (first > start && isDigit(bytes[first - 1]!)) first--;
    while (at + 1 < end && isDigit(bytes[at + 1]!)) at++;
    if (at - first + 1 >= MANY_DIGITS && bytes[first - 1] !== POINT) return true;
  }
  return false;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Whether a number keeps an integer's digits, be it because it writes the same. */
function isExact(digits: string): boolean {
  const number = Number(digits);
  return String(number) === digits || BigInt(number) === BigInt(digits);
}

function marked(token: string): string {
  const isLarge = INTEGER.test(token) && !Number.isSafeInteger(Number(token));
  return isLarge ? `"${MARK}${token}"` : token;
}

function unmarked(_key: string, value: unknown): unknown {
  return typeof value === 'string' && value.startsWith(MARK)
    ? BigInt(value.slice(MARK.length))
    : value;
}

/** JSON text of something whose values are of `jsonForm`. Throws what JSON.stringify throws. */
export function stringifyJson(value: object, useBigInt: boolean): string {
  const text = JSON.stringify(value);
  return useBigInt && text.includes(MARK) ? text.replace(MARKED, '$1') : text;
}

/** As `jsonForm`; what JSON has no word for is null. */
export function jsonValue(value: unknown, useBigInt: boolean): unknown {
  const form = isSimple(value) ? value : jsonForm(value, useBigInt, '', 0);
  return form === undefined || typeof form === 'function' || typeof form === 'symbol' ? null : form;
}

/** What JSON.stringify needs no help with, functions and the like included, which it leaves out. */
function isSimple(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'bigint');
}

/**
 * A value that is not simple, as JSON.stringify is to see it: bytes as base64, Maps as objects, Sets
 * and typed arrays as lists. The value itself, where nothing of that is in it. Throws TypeError for
 * what JSON cannot carry, and whatever a getter or a toJSON throws.
 */
function jsonForm(
  value: unknown,
  useBigInt: boolean,
  key: string | number,
  depth: number,
): unknown {
  if (isSimple(value)) return value;
  if (typeof value === 'bigint') {
    if (!useBigInt) throw bigIntRefused();
    return `${MARK}${value}`;
  }
  const object = value as object;
  checkDepth(depth);
  if (Array.isArray(object)) return listForm(object, useBigInt, depth);
  const isPlain = Object.getPrototypeOf(object) === Object.prototype && !hasJsonForm(object);
  return isPlain
    ? objectForm(object, useBigInt, depth)
    : specialForm(object, useBigInt, key, depth);
}

function specialForm(
  value: object,
  useBigInt: boolean,
  key: string | number,
  depth: number,
): unknown {
  const bytes = bytesOf(value);
  if (bytes !== undefined) return base64(bytes);
  if (value instanceof Map) return mapForm(value as Map<unknown, unknown>, useBigInt, depth);
  const list = listOf(value);
  if (list !== undefined) return listForm(list, useBigInt, depth);
  if (!hasJsonForm(value)) return objectForm(value, useBigInt, depth);
  return jsonForm(value.toJSON(String(key)), useBigInt, key, depth + 1);
}

function listForm(list: readonly unknown[], useBigInt: boolean, depth: number): unknown {
  let copy: unknown[] | undefined;
  for (let at = 0; at < list.length; at++) {
    const item = list[at];
    if (isSimple(item)) continue;
    const form = jsonForm(item, useBigInt, at, depth + 1);
    if (form !== item) (copy ??= [...list])[at] = form;
  }
  return copy ?? list;
}

function objectForm(value: object, useBigInt: boolean, depth: number): unknown {
  const members = value as Readonly<Record<string, unknown>>;
  let copy: Record<string, unknown> | undefined;
  // The fastest way to look; it may find what is not the object's own, which JSON has not either.
  for (const name in members) {
    const member = members[name];
    if (isSimple(member) || !Object.hasOwn(members, name)) continue;
    const form = jsonForm(member, useBigInt, name, depth + 1);
    // Spread, a member called `__proto__` is one in the copy, too.
    if (form !== member) (copy ??= { ...members })[name] = form;
  }
  return copy ?? value;
}

function mapForm(map: ReadonlyMap<unknown, unknown>, useBigInt: boolean, depth: number): unknown {
  const object = bare();
  for (const [key, value] of map) {
    const name = keyText(key);
    object[name] = jsonForm(value, useBigInt, name, depth + 1);
  }
  return object;
}

/** Throws TypeError for a key that is no single value. */
function keyText(key: unknown): string {
  const form = typeof key === 'bigint' ? `${key}` : jsonValue(key, false);
  if (typeof form === 'string') return form;
  if (typeof form === 'number' || typeof form === 'boolean' || form === null) return `${form}`;
  throw new TypeError('a Map whose keys are no single values cannot be sent as JSON');
}

function bare(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
