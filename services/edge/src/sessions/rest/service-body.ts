import type { MessageFromServer } from '@trunkline/protocol';
import { encodeServiceMessage, frameBodyStart } from '@trunkline/protocol';

/** A service message as other edges are sent it. */
export function bodyOf(message: MessageFromServer): Buffer {
  const frame = encodeServiceMessage(message);
  return frame.subarray(frameBodyStart(frame, 0));
}
