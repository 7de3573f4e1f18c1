import type { RecordInfo } from '@trunkline/protocol';
import { HubMessageType, OpenCalls } from '@trunkline/protocol';

/** Trackers of clients that have no call open, to be used again. */
const spare: OpenCalls[] = [];
const SPARE_MAX = 1024;

/** Takes note of a message of the client; answers its open calls, undefined for none. */
export function noteFromClient(
  calls: OpenCalls | undefined,
  info: RecordInfo,
  bytes: Uint8Array,
): OpenCalls | undefined {
  const { type } = info;
  if (type !== HubMessageType.Invocation && type !== HubMessageType.StreamInvocation) return calls;
  if (info.idEnd === 0) return calls;
  const open = calls ?? spare.pop() ?? new OpenCalls();
  open.add(info, bytes);
  return open;
}

/** Takes note of a message to the client, where a completion ends a call; answers the same. */
export function noteToClient(
  calls: OpenCalls | undefined,
  info: RecordInfo,
  bytes: Uint8Array,
): OpenCalls | undefined {
  if (calls === undefined || info.type !== HubMessageType.Completion) return calls;
  calls.delete(info, bytes);
  if (calls.size > 0 || calls.missed > 0) return calls;
  release(calls);
  return undefined;
}

/** Gives an empty tracker back. One that still holds calls goes with its client. */
function release(calls: OpenCalls): void {
  if (spare.length < SPARE_MAX) spare.push(calls);
}
