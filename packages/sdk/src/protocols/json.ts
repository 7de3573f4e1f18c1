import { HubMessageType } from '@trunkline/protocol';

import { InvalidDataException } from '../errors.ts';
import { utf8 } from '../utf8.ts';
import type { HubMessage, HubProtocol } from './hub-protocol.ts';

/** Hub messages as JSON text ended by RS (client protocols reference, sections 3.2 to 3.4). */
export const jsonProtocol: HubProtocol = {
  name: 'json',
  binary: false,

  parse(bytes, start, end) {
    return readMessage(readObject(bytes, start, end));
  },

  invocation(target, args, invocationId, headers) {
    const values = args.some((value) => value instanceof Uint8Array) ? args.map(plain) : args;
    const type = HubMessageType.Invocation;
    return record({ type, headers, invocationId, target, arguments: values });
  },

  streamItem(invocationId, item) {
    return record({ type: HubMessageType.StreamItem, invocationId, item: plain(item) });
  },

  result(invocationId, value) {
    return record({ type: HubMessageType.Completion, invocationId, result: plain(value) });
  },

  error(invocationId, error) {
    return record({ type: HubMessageType.Completion, invocationId, error });
  },

  end(invocationId) {
    return record({ type: HubMessageType.Completion, invocationId });
  },
};

/**
 * Bytes are base64 text, as in .NET (client protocols reference, section 3.5); those inside another
 * value are not looked for, since that would cost every message.
 */
export function plain(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value ?? null;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
}

type Members = Readonly<Record<string, unknown>>;

/** JSON escapes control characters, so RS stands only at the end. */
function record(message: object): Uint8Array {
  return Buffer.from(`${JSON.stringify(message)}\x1e`);
}

function readObject(bytes: Uint8Array, start: number, end: number): Members {
  let value: unknown;
  try {
    value = JSON.parse(utf8(bytes, start, end - 1));
  } catch (cause) {
    throw new InvalidDataException('Error reading JSON.', { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  throw new InvalidDataException('Unexpected JSON Token Type. Expected a JSON Object.');
}

function readMessage(members: Members): HubMessage | undefined {
  const type = members['type'] as number | undefined;
  if (type === undefined) throw new InvalidDataException("Missing required property 'type'.");
  switch (type) {
    case HubMessageType.Invocation:
    case HubMessageType.StreamInvocation:
      return {
        type,
        invocationId: callId(members, type),
        target: text(members, 'target'),
        args: list(members, 'arguments'),
        streamIds: streamIds(members),
        headers: members['headers'],
      };
    case HubMessageType.StreamItem:
      return { type, invocationId: text(members, 'invocationId'), item: members['item'] };
    case HubMessageType.Completion:
      return {
        type,
        invocationId: text(members, 'invocationId'),
        error: optionalText(members, 'error'),
        result: members['result'],
      };
    case HubMessageType.CancelInvocation:
      return { type, invocationId: text(members, 'invocationId') };
    case HubMessageType.Ping:
      return { type };
    case HubMessageType.Close:
      return { type, error: optionalText(members, 'error') };
    default:
      // What stands there may be of any type.
      if (Number.isFinite(type)) return undefined;
      throw new InvalidDataException("Expected 'type' to be of type Number.");
  }
}

function text(members: Members, name: string): string {
  const value = members[name];
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) {
    throw new InvalidDataException(`Missing required property '${name}'.`);
  }
  throw new InvalidDataException(`Expected '${name}' to be of type String.`);
}

/** A stream without an id would have nowhere to go. */
function callId(members: Members, type: 1 | 4): string | undefined {
  const id = optionalText(members, 'invocationId');
  if (id !== undefined || type === HubMessageType.Invocation) return id;
  throw new InvalidDataException("Missing required property 'invocationId'.");
}

/** Empty text is none, as in MessagePack (client protocols reference, section 10, trap 35). */
function optionalText(members: Members, name: string): string | undefined {
  const value = members[name];
  return value === undefined || value === null || value === '' ? undefined : text(members, name);
}

function list(members: Members, name: string): unknown[] {
  const value = members[name];
  if (Array.isArray(value)) return value as unknown[];
  if (value === undefined) throw new InvalidDataException(`Missing required property '${name}'.`);
  throw new InvalidDataException(`Expected '${name}' to be of type Array.`);
}

function streamIds(members: Members): readonly string[] {
  const value = members['streamIds'];
  if (value === undefined || value === null) return [];
  const ids = list(members, 'streamIds');
  if (ids.every((id) => typeof id === 'string')) return ids;
  throw new InvalidDataException("Expected 'streamIds' to be of type String.");
}
