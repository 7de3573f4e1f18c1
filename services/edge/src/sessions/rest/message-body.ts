import type { Payloads } from '@trunkline/protocol';
import {
  ByteReader,
  ByteWriter,
  encodeInvocation,
  encodeStreamItem,
  encodeVoidCompletion,
  encodeErrorCompletion,
  jsonMembers,
  messagePackToJson,
  msgpackValueEnd,
  ProtocolError,
  writeJsonAsMessagePack,
} from '@trunkline/protocol';
import { invalid, RestError } from './rest-error.ts';

/** What a body says, in the form of each hub protocol (REST reference, section 1.6). */
export interface Values {
  readonly json: Buffer;
  readonly messagepack: Uint8Array;
}

export interface Message {
  readonly target: string;
  readonly args: Values;
}

const REQUIRED = 'Message in request body is required.';
const JSON_BODY = /^application\/json\b/i;
const MESSAGEPACK_BODY = /^application\/x-msgpack\b/i;
const FRAMED_BODY = /^application\/octet-stream\b/i;
const BYTE_ORDER_MARK = Buffer.from('efbbbf', 'hex');
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What a body is, by its content type; one without is JSON. */
export function kindOf(contentType: string | undefined): 'json' | 'messagepack' | 'framed' {
  if (contentType === undefined || contentType === '' || JSON_BODY.test(contentType)) return 'json';
  if (MESSAGEPACK_BODY.test(contentType)) return 'messagepack';
  if (FRAMED_BODY.test(contentType)) return 'framed';
  const types = 'application/json, application/x-msgpack or application/octet-stream';
  throw new RestError(415, 'Error.Request.Invalid', `The content type is ${types}.`);
}

/** The payload for each hub protocol of a message to clients. */
export function messagePayloads(contentType: string | undefined, body: Buffer): Payloads {
  const kind = kindOf(contentType);
  if (kind === 'framed') return framedPayloads(body);
  return invocationPayloads(kind === 'json' ? jsonMessage(body) : messagePackMessage(body));
}

export function invocationPayloads({ target, args }: Message, invocationId?: string): Payloads {
  return new Map([
    ['json', encodeInvocation(false, { target, args: args.json, invocationId })],
    ['messagepack', encodeInvocation(true, { target, args: args.messagepack, invocationId })],
  ]);
}

/** The payloads of an item of a stream, whose body is the bare item. */
export function itemPayloads(
  contentType: string | undefined,
  body: Buffer,
  streamId: string,
): Payloads {
  const kind = kindOf(contentType);
  if (kind === 'framed') return framedPayloads(body);
  const item = kind === 'json' ? jsonValues(jsonText(body)) : messagePackValues(body);
  return new Map([
    ['json', encodeStreamItem(false, streamId, item.json)],
    ['messagepack', encodeStreamItem(true, streamId, item.messagepack)],
  ]);
}

export function completionPayloads(streamId: string, error: string | undefined): Payloads {
  const encode = (binary: boolean): Uint8Array =>
    error === undefined
      ? encodeVoidCompletion(binary, streamId)
      : encodeErrorCompletion(binary, streamId, error);
  return new Map([
    ['json', encode(false)],
    ['messagepack', encode(true)],
  ]);
}

/** `{target, arguments}`, in any case of the names (REST reference, section 11, trap 9). */
export function jsonMessage(body: Buffer): Message {
  const members = jsonMembers(jsonText(body));
  const target: unknown = parsed(members?.get('target'));
  if (members === undefined || typeof target !== 'string' || target === '') throw invalid(REQUIRED);
  const args = members.get('arguments');
  // That it is a JSON value is known: its first character says which kind.
  if (args === undefined || args[0] === LETTER_N) return { target, args: NO_ARGUMENTS };
  if (args[0] !== OPEN_BRACKET) throw invalid("'arguments' is an array.");
  return { target, args: jsonValues(args) };
}

/** The same as a MessagePack map. */
export function messagePackMessage(body: Buffer): Message {
  const members = reading(() => messagePackMembers(body));
  const target = members.get('target');
  const name = target && reading(() => new ByteReader(target).text());
  if (name === undefined || name === '') throw invalid(REQUIRED);
  const args = members.get('arguments');
  if (args === undefined || args[0] === NIL) return { target: name, args: NO_ARGUMENTS };
  reading(() => new ByteReader(args).arrayHeader());
  return { target: name, args: messagePackValues(args) };
}

/** The JSON text that a body is. Throws RestError for anything else. */
export function jsonText(body: Buffer): Buffer {
  const marked = body.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
  const text = marked ? body.subarray(BYTE_ORDER_MARK.length) : body;
  try {
    JSON.parse(strict.decode(text));
    return text;
  } catch {
    throw invalid(REQUIRED);
  }
}

const NIL = 0xc0;
/** Of `null`. */
const LETTER_N = 0x6e;
const OPEN_BRACKET = 0x5b;
const NO_ARGUMENTS: Values = { json: Buffer.from('[]'), messagepack: Uint8Array.of(0x90) };

function parsed(json: Buffer | undefined): unknown {
  return json === undefined ? undefined : JSON.parse(json.toString());
}

function jsonValues(json: Buffer): Values {
  const out = new ByteWriter(json.length + 16);
  reading(() => writeJsonAsMessagePack(out, json, 0, json.length));
  return { json, messagepack: out.view() };
}

function messagePackValues(messagepack: Buffer): Values {
  const { length } = messagepack;
  const json = reading(() => {
    if (msgpackValueEnd(messagepack, 0, length) !== length) throw invalid(REQUIRED);
    return messagePackToJson(messagepack, 0, length);
  });
  return { json: Buffer.from(json), messagepack };
}

function messagePackMembers(body: Buffer): Map<string, Buffer> {
  const reader = new ByteReader(body);
  const members = new Map<string, Buffer>();
  for (let left = reader.mapHeader(); left > 0; left--) {
    const name = reader.text().toLowerCase();
    const start = reader.offset;
    const end = msgpackValueEnd(body, start, body.length);
    if (end === -1) throw invalid(REQUIRED);
    members.set(name, body.subarray(start, end));
    reader.offset = end;
  }
  return members;
}

/** Hub protocol to a framed hub message: those bytes reach clients as they are. */
export function framedPayloads(body: Buffer): Payloads {
  return reading(() => {
    const reader = new ByteReader(body);
    const payloads = new Map<string, Uint8Array>();
    for (let left = reader.mapHeader(); left > 0; left--) {
      payloads.set(reader.text().toLowerCase(), reader.binary());
    }
    if (payloads.size === 0 || reader.offset !== body.length) throw invalid(REQUIRED);
    return payloads;
  });
}

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw invalid(error.code === 'too-deep' ? 'Its values nest too deeply.' : REQUIRED);
  }
}
