import { Decoder, Encoder } from '@msgpack/msgpack';
import { ByteWriter, frameBodyStart, HubMessageType, msgpackValueEnd } from '@trunkline/protocol';

import { InvalidDataException } from '../errors.ts';
import type { HubMessage, HubProtocol } from './hub-protocol.ts';

/** Kinds of a completion. */
const ERROR = 1;
const VOID = 2;
const RESULT = 3;

const encoder = new Encoder({ ignoreUndefined: true });
const decoder = new Decoder();

/**
 * Hub messages as length-prefixed MessagePack arrays (client protocols reference, sections 3.2, 3.3
 * and 3.5). Element 1 of most is a map of headers, which servers leave empty but for trace context.
 */
export const messagePackProtocol: HubProtocol = {
  name: 'messagepack',
  binary: true,

  parse(bytes, start, end) {
    return readMessage(readArray(bytes, start, end));
  },

  invocation(target, args, invocationId, headers = {}) {
    return record([HubMessageType.Invocation, headers, invocationId ?? null, target, args]);
  },

  streamItem(invocationId, item) {
    return record([HubMessageType.StreamItem, {}, invocationId, item]);
  },

  result(invocationId, value) {
    return record([HubMessageType.Completion, {}, invocationId, RESULT, value]);
  },

  error(invocationId, text) {
    return record([HubMessageType.Completion, {}, invocationId, ERROR, text]);
  },

  end(invocationId) {
    return record([HubMessageType.Completion, {}, invocationId, VOID]);
  },
};

function record(message: readonly unknown[]): Uint8Array {
  const body = encoder.encodeSharedRef(message);
  const writer = new ByteWriter(body.length + 5);
  writer.varInt(body.length);
  writer.raw(body);
  return writer.view();
}

/** The decoder makes room for as many items as an array announces, so they have to be there. */
function readArray(bytes: Uint8Array, start: number, end: number): readonly unknown[] {
  const body = frameBodyStart(bytes, start);
  if (msgpackValueEnd(bytes, body, end) !== end) {
    throw new InvalidDataException('Reading array length failed.');
  }
  let value: unknown;
  try {
    value = decoder.decode(bytes.subarray(body, end));
  } catch (cause) {
    throw new InvalidDataException('Reading array length failed.', { cause });
  }
  if (Array.isArray(value)) return value as readonly unknown[];
  throw new InvalidDataException('Reading array length failed.');
}

function readMessage(items: readonly unknown[]): HubMessage | undefined {
  const type = items[0];
  switch (type) {
    case HubMessageType.Invocation:
    case HubMessageType.StreamInvocation:
      return {
        type,
        invocationId: callId(items[2], type),
        target: text(items[3], 'target'),
        args: list(items[4], 'arguments'),
        streamIds: streamIds(items[5]),
        headers: items[1],
      };
    case HubMessageType.StreamItem:
      return { type, invocationId: text(items[2], 'invocationId'), item: items[3] };
    case HubMessageType.Completion:
      return readCompletion(items);
    case HubMessageType.CancelInvocation:
      return { type, invocationId: text(items[2], 'invocationId') };
    case HubMessageType.Ping:
      return { type };
    case HubMessageType.Close:
      return { type, error: optionalText(items[1], 'error') };
    default:
      if (typeof type === 'number') return undefined;
      throw new InvalidDataException("Reading 'messageType' as Int32 failed.");
  }
}

function readCompletion(items: readonly unknown[]): HubMessage {
  const invocationId = text(items[2], 'invocationId');
  const kind = items[3];
  const error = kind === ERROR ? text(items[4], 'error') : undefined;
  const result = kind === RESULT ? items[4] : undefined;
  if (kind !== ERROR && kind !== VOID && kind !== RESULT) {
    throw new InvalidDataException('Invalid invocation result kind.');
  }
  return { type: HubMessageType.Completion, invocationId, error, result };
}

function text(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw new InvalidDataException(`Reading '${name}' as String failed.`);
}

/** A stream without an id would have nowhere to go. */
function callId(value: unknown, type: 1 | 4): string | undefined {
  const id = optionalText(value, 'invocationId');
  if (id !== undefined || type === HubMessageType.Invocation) return id;
  throw new InvalidDataException("Reading 'invocationId' as String failed.");
}

/** Empty text is none. */
function optionalText(value: unknown, name: string): string | undefined {
  return value === undefined || value === null || value === '' ? undefined : text(value, name);
}

function list(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw new InvalidDataException(`Reading array length for '${name}' failed.`);
}

function streamIds(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  return list(value, 'streamIds').map((id) => text(id, 'streamIds'));
}
