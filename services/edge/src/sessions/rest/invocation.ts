import type { ClientCompletion, Payloads } from '@trunkline/protocol';
import {
  ByteReader,
  frameBodyStart,
  jsonMembers,
  messagePackToJson,
  MessageType,
  msgpackValueEnd,
  ProtocolError,
  encodeInvocation,
  encodeServiceBody,
} from '@trunkline/protocol';
import { TOO_LONG } from '../../model/asker.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import type { Completion } from '../server/caller.ts';
import { NO_ANSWER } from '../server/caller.ts';
import {
  framedPayloads,
  invocationPayloads,
  jsonMessage,
  kindOf,
  messagePackMessage,
} from './message-body.ts';
import type { RestCall } from './rest-call.ts';
import { VISIBLE } from './rest-call.ts';
import { RestCaller } from './rest-caller.ts';
import type { RestContext } from './rest-context.ts';
import { absent, invalid, RestError, uncertain, unavailable } from './rest-error.ts';

/** Accept headers that ask for the client's own bytes. */
const WANTS_BYTES = /application\/(?:octet-stream|x-msgpack)/i;
const NO_PAYLOAD = new Uint8Array(0);

/**
 * Calls a method of a client, and answers the call with what that returns (REST reference, section 1.5).
 * The wait ends with the client, after ten minutes, or when the caller goes.
 */
export function invoke(
  call: RestCall,
  hub: HubRuntime,
  connectionId: string,
  body: Buffer,
  context: RestContext,
): void {
  const { edge, random } = context;
  const { edgeId, results } = edge;
  const invocationId = Buffer.from(random(16)).toString('hex');
  const payloads = payloadsOf(call, body, invocationId);
  const ids = { invocationId, connectionId, callerServerId: `rest/${edgeId}` } as const;
  const caller = new RestCaller(ids.callerServerId, hub, (completion) => answer(call, completion));
  call.abandoned = () => {
    const withdrawal = {
      type: MessageType.ClientCompletion,
      ...ids,
      protocol: '',
      payload: NO_PAYLOAD,
    };
    results.withdraw(withdrawal, encodeServiceBody(withdrawal), caller);
  };
  const message = { type: MessageType.ClientInvocation, ...ids, payloads };
  results.invoke(message, encodeServiceBody(message), caller, edge);
}

function payloadsOf({ request }: RestCall, body: Buffer, invocationId: string): Payloads {
  const contentType = request.headers.get('content-type');
  const kind = kindOf(contentType);
  if (kind === 'json') return invocationPayloads(jsonMessage(body), invocationId);
  if (kind === 'messagepack') return invocationPayloads(messagePackMessage(body), invocationId);
  const framed = framedPayloads(body);
  return new Map([...framed].map(([name, bytes]) => [name, withId(name, bytes, invocationId)]));
}

/** Puts the service's id into an invocation that the caller has framed: that is unique, the caller's is not. */
function withId(protocol: string, framed: Uint8Array, invocationId: string): Uint8Array {
  const bytes = Buffer.from(framed.buffer, framed.byteOffset, framed.byteLength);
  if (protocol === 'json') {
    return encodeInvocation(false, { ...jsonInvocation(bytes), invocationId });
  }
  try {
    const reader = new ByteReader(bytes, frameBodyStart(bytes, 0));
    reader.arrayHeader();
    reader.int();
    reader.skip();
    if (!reader.nil()) reader.text();
    const target = reader.text();
    const start = reader.offset;
    const end = msgpackValueEnd(bytes, start, bytes.length);
    if (end === -1) throw new ProtocolError('truncated', start, 'arguments that do not end');
    const args = bytes.subarray(start, end);
    return encodeInvocation(true, { target, args, invocationId });
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw invalid(`The payload for '${protocol}' is no invocation.`);
  }
}

function jsonInvocation(record: Buffer): { target: string; args: Uint8Array } {
  const { target, args } = jsonMessage(record.subarray(0, -1));
  return { target, args: args.json };
}

function answer(call: RestCall, completion: Completion): void {
  if (completion.type === MessageType.ErrorCompletion) {
    return call.fail(failureOf(completion.connectionId, completion.error, call));
  }
  const protocol = completion.protocol.toLowerCase();
  if (!VISIBLE.test(protocol)) return call.fail(unreadable());
  // An earlier text of the specification had the second name; SDKs of today read the first.
  const headers = { 'x-asrs-protocol': protocol, 'x-protocol': protocol };
  if (wantsBytes(call)) return call.succeedWithBytes(completion.payload, headers);
  try {
    call.succeedWith(jsonOf(protocol, completion), headers);
  } catch (error) {
    if (!(error instanceof ProtocolError) && !(error instanceof SyntaxError)) throw error;
    call.fail(unreadable());
  }
}

function unreadable(): RestError {
  return uncertain('The client has answered with what cannot be read.');
}

/**
 * Whoever accepts bytes, or anything, gets the client's completion as that has written it, and so does a
 * .NET SDK, whatever it accepts; others get JSON (section 11, trap 36).
 */
function wantsBytes({ request }: RestCall): boolean {
  const accept = request.headers.get('accept');
  if (accept === undefined) return false;
  if (request.headers.has('asrs-user-agent') || WANTS_BYTES.test(accept)) return true;
  return accept.includes('*/*') && !accept.toLowerCase().includes('json');
}

/** `{result}` or `{error}`; of a protocol that is neither JSON nor MessagePack the bytes as base64, and its name. */
function jsonOf(protocol: string, { payload }: ClientCompletion): string {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  if (protocol === 'json') return jsonResult(bytes);
  if (protocol === 'messagepack') return messagePackResult(bytes);
  return JSON.stringify({ result: bytes.toString('base64'), protocol });
}

function jsonResult(record: Buffer): string {
  const text = record.subarray(0, -1);
  JSON.parse(text.toString());
  const members = jsonMembers(text);
  const error = members?.get('error');
  if (error !== undefined && error.toString() !== 'null') return `{"error":${error.toString()}}`;
  return `{"result":${members?.get('result')?.toString() ?? 'null'}}`;
}

/** `[3, headers, invocationId, kind, value]`, a kind of 1: an error, 2: nothing, 3: a result. */
function messagePackResult(record: Buffer): string {
  const reader = new ByteReader(record, frameBodyStart(record, 0));
  reader.arrayHeader();
  reader.int();
  reader.skip();
  reader.text();
  const kind = reader.int();
  if (kind === 1) return JSON.stringify({ error: reader.text() });
  if (kind === 2) return '{"result":null}';
  return `{"result":${messagePackToJson(record, reader.offset, record.length)}}`;
}

function failureOf(id: string, error: string, { route }: RestCall): RestError {
  switch (error) {
    case NO_ANSWER.unknown(id):
    case NO_ANSWER.gone(id):
      return absent(route.absent!);
    case NO_ANSWER.noPayload(id):
    case TOO_LONG.message:
      return invalid(error);
    case NO_ANSWER.unserved(id):
      return unavailable(error);
    case NO_ANSWER.late(id):
      return new RestError(504, 'Error.Connection.Unknown', error);
    case NO_ANSWER.tooMany(id):
    case NO_ANSWER.tooManyInAll:
      return new RestError(429, 'Error.Request.Unknown', error, { 'retry-after': '1' });
    default:
      return new RestError(500, 'Error.Connection.Unknown', error);
  }
}
