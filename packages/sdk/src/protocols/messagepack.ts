import {
  ByteReader,
  ByteWriter,
  frameBodyStart,
  HubMessageType,
  msgpackValueEnd,
  ProtocolError,
} from '@trunkline/protocol';

import { InvalidDataException } from '../errors.ts';
import type { HubMessage, HubProtocol } from './hub-protocol.ts';
import { MessagePackReader } from './messagepack-reader.ts';
import { writeValue } from './messagepack-writer.ts';

/** Kinds of a completion. */
const ERROR = 1;
const VOID = 2;
const RESULT = 3;

/** Kept from one message to the next; undefined while one is written. */
let spare: ByteWriter | undefined;

/**
 * Hub messages as length-prefixed MessagePack arrays (client protocols reference, sections 3.2, 3.3
 * and 3.5). Element 1 of most is a map of headers, which servers leave empty but for trace context.
 */
export class MessagePackProtocol implements HubProtocol {
  readonly name = 'messagepack';
  readonly binary = true;
  readonly useBigInt: boolean;

  constructor(useBigInt: boolean) {
    this.useBigInt = useBigInt;
  }

  parse(bytes: Uint8Array, start: number, end: number): HubMessage | undefined {
    return readMessage(readArray(bytes, start, end, this.useBigInt));
  }

  invocation(
    target: string,
    args: readonly unknown[],
    invocationId?: string,
    headers: Readonly<Record<string, string>> = {},
  ): Uint8Array {
    const id = invocationId ?? null;
    return this.#record([HubMessageType.Invocation, headers, id, target, args]);
  }

  streamItem(invocationId: string, item: unknown): Uint8Array {
    return this.#record([HubMessageType.StreamItem, {}, invocationId, item]);
  }

  result(invocationId: string, value: unknown): Uint8Array {
    return this.#record([HubMessageType.Completion, {}, invocationId, RESULT, value]);
  }

  error(invocationId: string, text: string): Uint8Array {
    return this.#record([HubMessageType.Completion, {}, invocationId, ERROR, text]);
  }

  end(invocationId: string): Uint8Array {
    return this.#record([HubMessageType.Completion, {}, invocationId, VOID]);
  }

  /** A getter of the app's may write another message meanwhile, which gets a writer of its own. */
  #record(message: readonly unknown[]): Uint8Array {
    const writer = spare ?? new ByteWriter();
    spare = undefined;
    try {
      const start = writer.beginFrame();
      writeValue(writer, message, this.useBigInt);
      writer.endFrame(start);
      return Buffer.from(writer.view());
    } finally {
      writer.clear();
      spare = writer;
    }
  }
}

/** The items of a message; an error in place of one that is no JavaScript value. */
type Items = readonly unknown[];

/** What is there is counted before anything is read, so that what is announced can be believed. */
function readArray(bytes: Uint8Array, start: number, end: number, useBigInt: boolean): Items {
  let at = frameBodyStart(bytes, start);
  if (msgpackValueEnd(bytes, at, end) !== end) throw noArray();
  const head = new ByteReader(bytes, at, end);
  try {
    const items: unknown[] = [];
    const count = head.arrayHeader();
    at = head.offset;
    while (items.length < count) {
      items.push(readItem(bytes, at, useBigInt));
      at = msgpackValueEnd(bytes, at, end);
    }
    return items;
  } catch (cause) {
    if (cause instanceof ProtocolError) throw noArray({ cause });
    throw cause;
  }
}

function readItem(bytes: Uint8Array, at: number, useBigInt: boolean): unknown {
  try {
    return new MessagePackReader(bytes, at, useBigInt).value();
  } catch (error) {
    if (error instanceof InvalidDataException) return error;
    throw error;
  }
}

function noArray(options?: ErrorOptions): InvalidDataException {
  return new InvalidDataException('Reading array length failed.', options);
}

function faultOf(item: unknown): InvalidDataException | undefined {
  return item instanceof InvalidDataException ? item : undefined;
}

function readMessage(items: Items): HubMessage | undefined {
  const type = items[0];
  switch (type) {
    case HubMessageType.Invocation:
    case HubMessageType.StreamInvocation:
      return {
        type,
        invocationId: callId(items[2], type),
        target: text(items[3], 'target'),
        args: faultOf(items[4]) === undefined ? list(items[4], 'arguments') : [],
        streamIds: streamIds(items[5]),
        headers: items[1],
        fault: faultOf(items[4]),
      };
    case HubMessageType.StreamItem:
      return {
        type,
        invocationId: text(items[2], 'invocationId'),
        item: items[3],
        fault: faultOf(items[3]),
      };
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

function readCompletion(items: Items): HubMessage {
  const invocationId = text(items[2], 'invocationId');
  const kind = items[3];
  const error = kind === ERROR ? text(items[4], 'error') : undefined;
  const result = kind === RESULT ? items[4] : undefined;
  if (kind !== ERROR && kind !== VOID && kind !== RESULT) {
    throw new InvalidDataException('Invalid invocation result kind.');
  }
  const fault = faultOf(result);
  return { type: HubMessageType.Completion, invocationId, error, result, fault };
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
