import { DotnetException } from '../exception.ts';
import type { HubMessage, HubProtocol } from './messages.ts';

/** Members in the order that ASP.NET writes them. */
const ORDER = [
  'type',
  'invocationId',
  'target',
  'item',
  'result',
  'error',
  'arguments',
  'streamIds',
  'allowReconnect',
];

export const jsonProtocol: HubProtocol = {
  name: 'json',
  binary: false,
  encode(message) {
    const members = message as unknown as Record<string, unknown>;
    const written = ORDER.filter((name) => members[name] !== undefined);
    const ordered = Object.fromEntries(written.map((name) => [name, members[name]]));
    return Buffer.from(`${JSON.stringify(ordered)}\x1e`);
  },
  decode(bytes, start, end) {
    const message = parse(Buffer.from(bytes.subarray(start, end - 1)).toString());
    if (typeof message['type'] !== 'number') throw missing('type');
    if (message['type'] < 1 || message['type'] > 7) return undefined;
    return message as unknown as HubMessage;
  },
};

function parse(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DotnetException('InvalidDataException', `Error reading JSON. ${String(error)}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new DotnetException('InvalidDataException', 'Unexpected JSON Token Type.');
}

function missing(property: string): DotnetException {
  return new DotnetException('InvalidDataException', `Missing required property '${property}'.`);
}
