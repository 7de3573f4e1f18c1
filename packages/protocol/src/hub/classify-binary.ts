import {
  msgpackFirst,
  msgpackInt,
  msgpackTextStart,
  msgpackTooDeep,
  msgpackValueEnd,
} from './msgpack-scan.ts';
import type { RecordInfo } from './record-info.ts';
import { mayHaveId } from './record-info.ts';

const PREFIX_MAX_BYTES = 5;

/**
 * Reads type and invocation id off the binary record `bytes[start, end)`, `[type, headers, id, …]`
 * after its length prefix, without decoding or allocating (client protocols reference, sections 3.2
 * and 3.3). Never throws: what cannot be read that far has type 0. What follows the id, and how
 * many elements there are after it, is left to the hub.
 */
export function classifyBinary(
  bytes: Uint8Array,
  start: number,
  end: number,
  info: RecordInfo,
): void {
  info.reset();
  const array = prefixEnd(bytes, start, end);
  const first = msgpackFirst(bytes, array, end, 1);
  const type = first === -1 ? 0 : Math.max(0, msgpackInt(bytes, first, end));
  if (!mayHaveId(type)) {
    info.type = type;
    return;
  }
  if (msgpackFirst(bytes, array, end, 3) === -1) return;
  const headers = msgpackValueEnd(bytes, first, end);
  const id = msgpackValueEnd(bytes, headers, end);
  const idEnd = id === -1 ? -1 : msgpackValueEnd(bytes, id, end);
  if (idEnd === -1) return;
  info.type = type;
  const text = msgpackTextStart(bytes, id, end);
  if (text !== -1) info.setId(bytes, text, idEnd);
}

/** Whether the binary record `bytes[start, end)` is nested deeper than a hub may be asked to read. */
export function isTooDeep(bytes: Uint8Array, start: number, end: number): boolean {
  return msgpackTooDeep(bytes, prefixEnd(bytes, start, end), end);
}

/** Where the array of the binary record at `start` begins, behind its length. */
export function prefixEnd(bytes: Uint8Array, start: number, end: number): number {
  const most = Math.min(end, start + PREFIX_MAX_BYTES);
  for (let at = start; at < most; at++) if ((bytes[at] as number) < 0x80) return at + 1;
  return end;
}
