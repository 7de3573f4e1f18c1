import { classifyBinary } from './classify-binary.ts';
import { classifyText } from './classify-text.ts';
import type { RecordInfo } from './record-info.ts';

/** Fills `info` from the whole record `bytes[start, end)`. Never throws and does not allocate. */
export function classifyRecord(
  binary: boolean,
  bytes: Uint8Array,
  start: number,
  end: number,
  info: RecordInfo,
): void {
  if (binary) classifyBinary(bytes, start, end, info);
  else classifyText(bytes, start, end, info);
}
