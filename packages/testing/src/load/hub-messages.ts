import { textFrame } from './frames.ts';

/** Ends every JSON hub message (client protocol reference, section 3.2). */
export const RECORD_SEPARATOR = 0x1e;
const RS = String.fromCharCode(RECORD_SEPARATOR);

/** What every echo and broadcast carries. */
export const PAYLOAD = 'thirty-two bytes of chat message';

export const HANDSHAKE = `{"protocol":"json","version":1}${RS}`;
export const HANDSHAKE_FRAME = textFrame(HANDSHAKE);
const PING = `{"type":6}`;
export const PING_FRAME = textFrame(PING + RS);

/** Nothing else is as short. */
export function isPing(start: number, end: number): boolean {
  return end - start <= PING.length;
}

/** A call without an id, so without an answer: everybody gets a `tick`, the caller too. */
export const BROADCAST_FRAME = textFrame(
  `{"arguments":["${PAYLOAD}"],"target":"broadcast","type":1}${RS}`,
);

/** A call of `echo`, keys in the order of the JavaScript client. */
export function echoFrame(invocationId: number): Buffer {
  return textFrame(
    `{"arguments":["${PAYLOAD}"],"invocationId":"${invocationId}","target":"echo","type":1}${RS}`,
  );
}

const ID_KEY = Buffer.from('"invocationId":"');
const DIGIT_0 = 0x30;

/** The number in a message's `invocationId`, or -1 when it has none; `end` is past its last byte. */
export function invocationId(bytes: Buffer, start: number, end: number): number {
  let at = bytes.indexOf(ID_KEY, start);
  if (at < 0 || at >= end) return -1;
  at += ID_KEY.length;
  let id = 0;
  for (let digit = bytes[at]! - DIGIT_0; digit >= 0 && digit <= 9; digit = bytes[at]! - DIGIT_0) {
    id = id * 10 + digit;
    at += 1;
  }
  return id;
}
