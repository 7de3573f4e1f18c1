import { prefixEnd } from './classify-binary.ts';
import { RECORD_SEPARATOR } from './handshake.ts';
import { msgpackFirst, msgpackTextStart, msgpackValueEnd } from './msgpack-scan.ts';

/** Where the stream ids stand in a binary Invocation or StreamInvocation (section 3.3). */
const STREAM_IDS = 5;

/**
 * The ids under which an Invocation or StreamInvocation announces uploads; none if it has none, or
 * cannot be read. `record`: one whole record. Decodes and allocates: not for the message path.
 */
export function streamIdsOf(binary: boolean, record: Uint8Array): string[] {
  return binary ? binaryStreamIds(record) : textStreamIds(record);
}

function textStreamIds(record: Uint8Array): string[] {
  try {
    const end = record.at(-1) === RECORD_SEPARATOR ? -1 : undefined;
    const text = Buffer.from(record).toString('utf8').slice(0, end);
    const { streamIds } = JSON.parse(text) as { streamIds?: unknown };
    return Array.isArray(streamIds) ? streamIds.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

function binaryStreamIds(record: Uint8Array): string[] {
  const end = record.length;
  let at = msgpackFirst(record, prefixEnd(record, 0, end), end, STREAM_IDS + 1);
  for (let i = 0; i < STREAM_IDS && at !== -1; i++) at = msgpackValueEnd(record, at, end);
  const ids: string[] = [];
  if (at === -1) return ids;
  let id = msgpackFirst(record, at, end, 1);
  const stop = msgpackValueEnd(record, at, end);
  while (id !== -1 && id < stop) {
    const text = msgpackTextStart(record, id, stop);
    const next = msgpackValueEnd(record, id, stop);
    if (text !== -1) ids.push(Buffer.from(record.subarray(text, next)).toString('utf8'));
    id = next;
  }
  return ids;
}
