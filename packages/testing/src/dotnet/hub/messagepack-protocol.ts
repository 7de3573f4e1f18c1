import { decode, encode } from '@msgpack/msgpack';
import { ByteWriter, frameBodyStart } from '@trunkline/protocol';

import { DotnetException } from '../exception.ts';
import type { Completion, HubMessage, HubProtocol } from './messages.ts';

const COMPLETION = { error: 1, void: 2, result: 3 } as const;
/** ASP.NET takes `undefined` for nothing at all, and times as MessagePack's own timestamps. */
const OPTIONS = { ignoreUndefined: true } as const;

export const messagepackProtocol: HubProtocol = {
  name: 'messagepack',
  binary: true,
  encode(message) {
    const body = encode(elements(message), OPTIONS);
    const writer = new ByteWriter(body.length + 5);
    writer.varInt(body.length);
    writer.raw(body);
    return Buffer.from(writer.view());
  },
  decode(bytes, start, end) {
    let elements: unknown;
    try {
      elements = decode(bytes.subarray(frameBodyStart(bytes, start), end));
    } catch (error) {
      throw new DotnetException('InvalidDataException', `Reading failed. ${String(error)}`);
    }
    if (!Array.isArray(elements) || typeof elements[0] !== 'number') {
      throw new DotnetException('InvalidDataException', "Reading 'type' as Int32 failed.");
    }
    return message(elements);
  },
};

/** Empty headers go everywhere but to pings and closes (client protocols reference, section 3.3). */
function elements(message: HubMessage): unknown[] {
  switch (message.type) {
    case 1:
    case 4: {
      const { type, invocationId = null, target, streamIds = [] } = message;
      const invocation = [type, {}, invocationId, target, message.arguments];
      return streamIds.length === 0 ? invocation : [...invocation, streamIds];
    }
    case 2:
      return [2, {}, message.invocationId, message.item];
    case 3:
      return [3, {}, message.invocationId, ...outcome(message)];
    case 5:
      return [5, {}, message.invocationId];
    case 6:
      return [6];
    case 7:
      return [7, message.error ?? null, message.allowReconnect ?? false];
  }
}

function outcome(message: Completion): unknown[] {
  if (message.error !== undefined) return [COMPLETION.error, message.error];
  return message.result === undefined ? [COMPLETION.void] : [COMPLETION.result, message.result];
}

function message(elements: readonly unknown[]): HubMessage | undefined {
  const [type, headersOrError, id, value, last, streamIds] = elements;
  const invocationId = id as string;
  switch (type) {
    case 1:
    case 4: {
      const call = { type, target: value as string, arguments: last as unknown[] } as const;
      const streams = Array.isArray(streamIds) ? { streamIds: streamIds as string[] } : {};
      return invocationId ? { ...call, ...streams, invocationId } : { ...call, ...streams };
    }
    case 2:
      return { type, invocationId, item: value };
    case 3:
      if (value === COMPLETION.error) return { type, invocationId, error: last as string };
      return value === COMPLETION.void
        ? { type, invocationId }
        : { type, invocationId, result: last };
    case 5:
      return { type, invocationId };
    case 6:
      return { type };
    case 7:
      return typeof headersOrError === 'string' ? { type, error: headersOrError } : { type };
    default:
      return undefined;
  }
}
