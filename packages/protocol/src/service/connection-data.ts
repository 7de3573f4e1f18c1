import { frameBodyStart } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { MessageType } from './message.ts';

/**
 * ConnectionData without objects: nearly every message of the relay is one, in both directions.
 * Layout: service protocol reference, section 6 (id 6) and 5.3 (extension keys 5 and 6).
 */

const DATA_TYPE_KEY = 5;
/** Type byte of a string of up to 31 bytes, whose length is in the lower five bits. */
const FIXSTR = 0xa0;
const LONGEST_SHORT_ID = 31;
/** The empty extension map. */
const NO_EXTENSIONS = 0x80;

/** Where the parts of one ConnectionData stand in a buffer; filled by `readConnectionData`. */
export class ConnectionDataView {
  idStart = 0;
  idEnd = 0;
  payloadStart = 0;
  payloadEnd = 0;
  /** Extension 5, or 0 when the sender does not say. */
  dataType = 0;
}

/**
 * Reads a whole framed ConnectionData at [start, end), length prefix included, into `view`; the
 * prefix must be complete, as it is in a frame that was cut out of the stream by its length.
 * False for any other message and for any uncommon form of this one: the general decoder takes
 * those, and says what is wrong with them if something is. `view` is then left in any state.
 */
export function readConnectionData(
  bytes: Uint8Array,
  start: number,
  end: number,
  view: ConnectionDataView,
): boolean {
  const at = frameBodyStart(bytes, start);
  const header = bytes[at];
  const withExtensions = header === 0x94;
  if (!withExtensions && header !== 0x93) return false;
  const idTag = bytes[at + 2]!;
  if (bytes[at + 1] !== MessageType.ConnectionData || idTag >> 5 !== FIXSTR >> 5) return false;
  view.idStart = at + 3;
  view.idEnd = view.idStart + (idTag & LONGEST_SHORT_ID);
  view.dataType = 0;
  // Past the end of `bytes` a payload's size reads as NaN, which no comparison lets through.
  if (!(readPayloadHeader(bytes, view.idEnd, view) && view.payloadEnd <= end)) return false;
  return !withExtensions || readExtensions(bytes, view.payloadEnd, end, view);
}

function readPayloadHeader(bytes: Uint8Array, at: number, view: ConnectionDataView): boolean {
  const tag = bytes[at];
  let size: number;
  if (tag === 0xc4) {
    size = bytes[at + 1]!;
    view.payloadStart = at + 2;
  } else if (tag === 0xc5) {
    size = bytes[at + 1]! * 0x100 + bytes[at + 2]!;
    view.payloadStart = at + 3;
  } else if (tag === 0xc6) {
    const high = bytes[at + 1]! * 0x100 + bytes[at + 2]!;
    size = high * 0x10000 + bytes[at + 3]! * 0x100 + bytes[at + 4]!;
    view.payloadStart = at + 5;
  } else {
    return false;
  }
  view.payloadEnd = view.payloadStart + size;
  return true;
}

/** Only `{}` and `{5: small int}` are common; whatever else is there goes to the general decoder. */
function readExtensions(
  bytes: Uint8Array,
  at: number,
  end: number,
  view: ConnectionDataView,
): boolean {
  if (at >= end) return false;
  if (bytes[at] === NO_EXTENSIONS) return true;
  if (bytes[at] !== 0x81 || bytes[at + 1] !== DATA_TYPE_KEY || at + 3 > end) return false;
  const dataType = bytes[at + 2]!;
  if (dataType > 0x7f) return false;
  view.dataType = dataType;
  return true;
}

/** Bytes around the payload at the most: prefix, array, type, a short id, binary, extensions. */
export const CONNECTION_DATA_OVERHEAD = 5 + 1 + 1 + (1 + LONGEST_SHORT_ID) + 5 + 1;

/** Up to here a plain loop beats a call into the native copy. */
const SHORT_PAYLOAD = 64;

/**
 * Appends a framed ConnectionData with the given slice as its payload: the one copy a relayed
 * message costs. Throws RangeError, and appends nothing, when `id` is not ASCII or longer than 31
 * characters (ours are 20): `writeServiceMessage` takes those.
 */
export function writeConnectionData(
  writer: ByteWriter,
  id: string,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const size = end - start;
  writer.reserve(CONNECTION_DATA_OVERHEAD + size);
  writeConnectionDataHead(writer, id, size);
  const { buffer } = writer;
  if (size < SHORT_PAYLOAD) {
    let to = writer.length;
    for (let from = start; from < end; from++) buffer[to++] = bytes[from]!;
  } else {
    buffer.set(bytes.subarray(start, end), writer.length);
  }
  writer.length += size;
  buffer[writer.length++] = NO_EXTENSIONS;
}

/**
 * All of a framed ConnectionData that stands before its payload; the payload and the byte 0x80
 * must follow. Same demands on `id` as `writeConnectionData`.
 */
export function writeConnectionDataHead(
  writer: ByteWriter,
  id: string,
  payloadBytes: number,
): void {
  const frame = writer.length;
  const headerBytes = payloadBytes < 0x100 ? 2 : payloadBytes < 0x10000 ? 3 : 5;
  writer.reserve(CONNECTION_DATA_OVERHEAD);
  writer.varInt(3 + id.length + headerBytes + payloadBytes + 1);
  const { buffer } = writer;
  let at = writer.length;
  buffer[at++] = 0x94;
  buffer[at++] = MessageType.ConnectionData;
  buffer[at++] = FIXSTR | id.length;
  let codes = 0;
  for (let i = 0; i < id.length; i++) codes |= buffer[at++] = id.charCodeAt(i);
  if (codes > 0x7f || id.length > LONGEST_SHORT_ID) {
    writer.length = frame;
    throw new RangeError('a connection id must be ASCII and at most 31 characters long');
  }
  writer.length = at;
  writer.binaryHeader(payloadBytes);
}
