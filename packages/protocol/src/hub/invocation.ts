import { prefixEnd } from './classify-binary.ts';
import { RECORD_SEPARATOR } from './handshake.ts';
import {
  CLOSE_BRACE,
  COLON,
  COMMA,
  OPEN_BRACE,
  QUOTE,
  skipSpace,
  stringEnd,
  valueEnd,
} from './json-scan.ts';
import { msgpackFirst, msgpackTextStart, msgpackValueEnd } from './msgpack-scan.ts';

/** Where the target and the stream ids stand in a binary Invocation (client protocols reference, 3.3). */
const TARGET = 3;
const STREAM_IDS = 5;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** What whoever hands an Invocation on must know of it, beside its type and id. */
export interface InvocationHead {
  readonly target: string;
  /** The client uploads streams with it. */
  readonly hasUploads: boolean;
}

/**
 * Reads the head of one whole Invocation without decoding its arguments; undefined for what has no
 * target, or is no message at all.
 */
export function readInvocationHead(
  binary: boolean,
  record: Uint8Array,
): InvocationHead | undefined {
  return binary ? binaryHead(record) : textHead(record);
}

/** One hub message without its framing: the separator behind it, or the length before it. */
export function unframed(binary: boolean, record: Uint8Array): Uint8Array {
  if (binary) return record.subarray(prefixEnd(record, 0, record.length));
  return record.at(-1) === RECORD_SEPARATOR ? record.subarray(0, -1) : record;
}

function binaryHead(record: Uint8Array): InvocationHead | undefined {
  const end = record.length;
  const array = prefixEnd(record, 0, end);
  const target = elementAt(record, array, TARGET);
  const text = target === -1 ? -1 : msgpackTextStart(record, target, end);
  const textEnd = text === -1 ? -1 : msgpackValueEnd(record, target, end);
  if (textEnd === -1) return undefined;
  const streams = elementAt(record, array, STREAM_IDS);
  const hasUploads = streams !== -1 && msgpackFirst(record, streams, end, 1) !== -1;
  return { target: decoder.decode(record.subarray(text, textEnd)), hasUploads };
}

function elementAt(record: Uint8Array, array: number, index: number): number {
  const end = record.length;
  let at = msgpackFirst(record, array, end, index + 1);
  for (let i = 0; i < index && at !== -1; i++) at = msgpackValueEnd(record, at, end);
  return at;
}

/** Of members with one name the last counts, as it does for parsers. */
function textHead(record: Uint8Array): InvocationHead | undefined {
  const end = unframed(false, record).length;
  let target: string | undefined;
  let hasUploads = false;
  let at = skipSpace(record, 0, end);
  if (record[at] !== OPEN_BRACE) return undefined;
  do {
    const key = skipSpace(record, at + 1, end);
    const keyEnd = record[key] === QUOTE ? stringEnd(record, key, end) : -1;
    const colon = keyEnd === -1 ? -1 : skipSpace(record, keyEnd, end);
    if (colon === -1 || record[colon] !== COLON) return undefined;
    const value = skipSpace(record, colon + 1, end);
    at = valueEnd(record, value, end);
    if (at === -1) return undefined;
    const name = textAt(record, key, keyEnd);
    if (name === 'target') target = textAt(record, value, at);
    // Anything but [] or null: an id in brackets has five characters at least.
    if (name === 'streamIds') hasUploads = decoder.decode(record.subarray(value, at)).includes('"');
  } while (record[at] === COMMA);
  const isObject = record[at] === CLOSE_BRACE && skipSpace(record, at + 1, end) === end;
  return isObject && target !== undefined ? { target, hasUploads } : undefined;
}

/** The text of the JSON string in `bytes[start, end)`; undefined for anything else. */
function textAt(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (bytes[start] !== QUOTE) return undefined;
  try {
    const text: unknown = JSON.parse(decoder.decode(bytes.subarray(start, end)));
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}
