import { RECORD_SEPARATOR } from './handshake.ts';
import {
  BACKSLASH,
  CLOSE_BRACE,
  COLON,
  COMMA,
  OPEN_BRACE,
  QUOTE,
  endsValue,
  isSpace,
  skipSpace,
  spells,
  stringEnd,
  valueEnd,
} from './json-scan.ts';
import type { RecordInfo } from './record-info.ts';
import { decimal, mayHaveId } from './record-info.ts';

/**
 * Reads `type` and `invocationId` off a JSON hub message without parsing it or allocating: of the
 * top-level members only, in any order, ending as soon as both are known (client protocols
 * reference, sections 3.3 and 5). For JSON objects with distinct keys the answer is exact, a type
 * being digits only, as for ASP.NET; what is not JSON gets type 0 where that shows on the way, and
 * is left to the hub otherwise.
 */

const TYPE = ascii('type');
const INVOCATION_ID = ascii('invocationId');
const HEAD_TYPE = ascii('{"type":');
const HEAD_ID = ascii(',"invocationId":"');
const TAIL_TYPE = ascii(',"type":');
const TAIL_ID = ascii('"invocationId":"');
const TAIL_TARGET = ascii(',"target":"');

/** Ids and method names longer than this leave the short cuts. */
const SHORT_TEXT_MAX = 128;

/** Fills `info` from the record `bytes[start, end)`, with or without its RS. Never throws. */
export function classifyText(
  bytes: Uint8Array,
  start: number,
  end: number,
  info: RecordInfo,
): void {
  info.reset();
  const stop = end > start && bytes[end - 1] === RECORD_SEPARATOR ? end - 1 : end;
  if (classifyHead(bytes, start, stop, info) || classifyTail(bytes, start, stop, info)) return;
  if (!scanMembers(bytes, start, stop, info)) return info.reset();
  if (info.idEnd === 0) return;
  if (mayHaveId(info.type)) info.setJsonId(bytes, info.idStart, info.idEnd);
  else clearId(info);
}

/**
 * .NET, ASP.NET and our SDK start with `{"type":3,"invocationId":"7"`. True when all is known; if
 * not, `type` may be.
 */
function classifyHead(bytes: Uint8Array, start: number, stop: number, info: RecordInfo): boolean {
  const at = start + HEAD_TYPE.length;
  if (at + 1 >= stop || !matches(bytes, start, HEAD_TYPE)) return false;
  const type = (bytes[at] as number) - 0x30;
  if (type < 1 || type > 9 || !endsValue(bytes[at + 1])) return false;
  info.type = type;
  if (!mayHaveId(type)) return true;
  if (!matches(bytes, at + 1, HEAD_ID)) return false;
  const text = at + 1 + HEAD_ID.length;
  const most = Math.min(stop - 1, text + SHORT_TEXT_MAX);
  let end = text;
  while (end < most && bytes[end] !== QUOTE) if (bytes[end++] === BACKSLASH) return false;
  if (end >= most || !endsValue(bytes[end + 1])) return false;
  info.setId(bytes, text, end);
  return true;
}

/**
 * TypeScript clients write `type` last and simple members before it: `,"invocationId":"7","type":1}`
 * (9 and later) or `,"invocationId":"7","target":"Name","type":1}` (before). Read backwards this is
 * exact: each quote found stands next to a comma, colon or brace that only JSON's own structure can
 * put there. True when all is known; if not, `type` may be.
 */
function classifyTail(bytes: Uint8Array, start: number, stop: number, info: RecordInfo): boolean {
  if (stop - start < TAIL_TYPE.length + 3) return false;
  if (bytes[start] !== OPEN_BRACE || bytes[stop - 1] !== CLOSE_BRACE) return false;
  let comma = stop - 2 - TAIL_TYPE.length;
  const type = (bytes[stop - 2] as number) - 0x30;
  if (type < 1 || type > 9 || !matches(bytes, comma, TAIL_TYPE)) return false;
  info.type = type;
  if (!mayHaveId(type)) return true;
  let text = textBefore(bytes, start, comma);
  if (text !== -1 && matches(bytes, text - TAIL_TARGET.length, TAIL_TARGET)) {
    comma = text - TAIL_TARGET.length;
    text = textBefore(bytes, start, comma);
  }
  const key = text - TAIL_ID.length;
  if (key <= start || !matches(bytes, key, TAIL_ID)) return false;
  if (bytes[key - 1] !== COMMA && bytes[key - 1] !== OPEN_BRACE) return false;
  info.setId(bytes, text, comma - 1);
  return true;
}

/** Where the text of the plain string that ends just before `end` starts, or -1. */
function textBefore(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[end - 1] !== QUOTE) return -1;
  const least = Math.max(start, end - 1 - SHORT_TEXT_MAX);
  for (let at = end - 2; at > least; at--) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) return -1;
  }
  return -1;
}

/** Sets `type` and the range of the id; false for what is not a JSON object. */
function scanMembers(bytes: Uint8Array, start: number, end: number, info: RecordInfo): boolean {
  let at = skipSpace(bytes, start, end);
  if (bytes[at] !== OPEN_BRACE) return false;
  do {
    const key = skipSpace(bytes, at + 1, end);
    if (bytes[key] !== QUOTE) return false;
    const keyEnd = stringEnd(bytes, key, end);
    if (keyEnd === -1) return false;
    const colon = skipSpace(bytes, keyEnd, end);
    if (bytes[colon] !== COLON) return false;
    const value = skipSpace(bytes, colon + 1, end);
    at = valueEnd(bytes, value, end);
    if (at === -1) return false;
    if (spells(bytes, key + 1, keyEnd - 1, TYPE)) readType(bytes, value, at, info);
    else if (spells(bytes, key + 1, keyEnd - 1, INVOCATION_ID)) readId(bytes, value, at, info);
    else continue;
    if (info.type !== 0 && (info.idEnd !== 0 || !mayHaveId(info.type))) return true;
  } while (bytes[at] === COMMA);
  return bytes[at] === CLOSE_BRACE && skipSpace(bytes, at + 1, end) === end;
}

function readType(bytes: Uint8Array, start: number, end: number, info: RecordInfo): void {
  let stop = end;
  while (stop > start && isSpace(bytes[stop - 1])) stop--;
  info.type = Math.max(0, decimal(bytes, start, stop));
}

function readId(bytes: Uint8Array, start: number, end: number, info: RecordInfo): void {
  const stop = bytes[start] === QUOTE ? stringEnd(bytes, start, end) : -1;
  if (stop === -1 || stop - start === 2) return clearId(info);
  info.idStart = start + 1;
  info.idEnd = stop - 1;
}

function clearId(info: RecordInfo): void {
  info.idStart = 0;
  info.idEnd = 0;
}

function matches(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
