import { HubMessageType } from '@trunkline/protocol';

import { InvalidDataException } from '../errors.ts';
import type { HubMessage, HubProtocol } from './hub-protocol.ts';
import { jsonValue, parseJson, stringifyJson } from './json-values.ts';

/** Hub messages as JSON text ended by RS (client protocols reference, sections 3.2 to 3.4). */
export class JsonProtocol implements HubProtocol {
  readonly name = 'json';
  readonly binary = false;
  readonly useBigInt: boolean;

  constructor(useBigInt: boolean) {
    this.useBigInt = useBigInt;
  }

  parse(bytes: Uint8Array, start: number, end: number): HubMessage | undefined {
    let fault: InvalidDataException | undefined;
    const members = readObject(bytes, start, end, this.useBigInt, (error) => (fault = error));
    return readMessage(members, fault);
  }

  invocation(
    target: string,
    args: readonly unknown[],
    invocationId?: string,
    headers?: Readonly<Record<string, string>>,
  ): Uint8Array {
    const type = HubMessageType.Invocation;
    return this.#record({ type, headers, invocationId, target, arguments: this.#value(args) });
  }

  streamItem(invocationId: string, item: unknown): Uint8Array {
    return this.#record({ type: HubMessageType.StreamItem, invocationId, item: this.#value(item) });
  }

  result(invocationId: string, value: unknown): Uint8Array {
    const type = HubMessageType.Completion;
    return this.#record({ type, invocationId, result: this.#value(value) });
  }

  error(invocationId: string, error: string): Uint8Array {
    return this.#record({ type: HubMessageType.Completion, invocationId, error });
  }

  end(invocationId: string): Uint8Array {
    return this.#record({ type: HubMessageType.Completion, invocationId });
  }

  #value(value: unknown): unknown {
    return jsonValue(value, this.useBigInt);
  }

  /** JSON escapes control characters, so RS stands only at the end. */
  #record(message: object): Uint8Array {
    return Buffer.from(`${stringifyJson(message, this.useBigInt)}\x1e`);
  }
}

type Members = Readonly<Record<string, unknown>>;

function readObject(
  bytes: Uint8Array,
  start: number,
  end: number,
  useBigInt: boolean,
  inexact: (error: InvalidDataException) => void,
): Members {
  let value: unknown;
  try {
    value = parseJson(bytes, start, end - 1, useBigInt, inexact);
  } catch (cause) {
    throw new InvalidDataException('Error reading JSON.', { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  throw new InvalidDataException('Unexpected JSON Token Type. Expected a JSON Object.');
}

function readMessage(
  members: Members,
  fault: InvalidDataException | undefined,
): HubMessage | undefined {
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
        fault,
      };
    case HubMessageType.StreamItem:
      return { type, invocationId: text(members, 'invocationId'), item: members['item'], fault };
    case HubMessageType.Completion:
      return {
        type,
        invocationId: text(members, 'invocationId'),
        error: optionalText(members, 'error'),
        result: members['result'],
        fault,
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
