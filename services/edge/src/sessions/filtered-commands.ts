import type { FilteredCommands, Payloads } from '@trunkline/protocol';
import { ByteReader, ByteWriter, MessageType, ProtocolError } from '@trunkline/protocol';
import type { Command, Step } from '../model/command.ts';
import type { Filter } from '../model/filter.ts';
import { FilterError, parseFilter } from '../model/filter.ts';

const Do = { send: 1, join: 2, leave: 3, close: 4 } as const;

/** What edges say to each other of commands for all connections that a filter chooses. */
export function filteredMessage(filter: string, steps: readonly Step[]): FilteredCommands {
  const writer = new ByteWriter(256);
  writer.arrayHeader(steps.length);
  for (const step of steps) {
    writer.arrayHeader(2);
    writer.int(Do[step.kind]);
    if (step.kind === 'send') writePayloads(writer, step.payloads);
    else if (step.kind !== 'close') writer.text(step.group);
    else if (step.reason === undefined) writer.nil();
    else writer.text(step.reason);
  }
  return { type: MessageType.FilteredCommands, filter, commands: writer.view() };
}

/**
 * What such a message asks of a hub. Throws ProtocolError, also for a filter that cannot be read: it
 * could where the call came in, so that it is of a newer version.
 */
export function filteredCommand({ filter, commands }: FilteredCommands): Command {
  const reader = new ByteReader(commands);
  const steps: Step[] = [];
  for (let left = reader.arrayHeader(); left > 0; left--) steps.push(readStep(reader));
  return { kind: 'filtered', chosen: readFilter(filter), steps };
}

function readStep(reader: ByteReader): Step {
  reader.arrayHeader();
  const at = reader.offset;
  switch (reader.int()) {
    case Do.send:
      return { kind: 'send', payloads: readPayloads(reader) };
    case Do.join:
      return { kind: 'join', group: reader.text() };
    case Do.leave:
      return { kind: 'leave', group: reader.text() };
    case Do.close:
      return { kind: 'close', reason: reader.nil() ? undefined : reader.text() };
    default:
      throw new ProtocolError('wrong-type', at, 'a command that is not known');
  }
}

function readFilter(text: string): Filter {
  try {
    return parseFilter(text);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new ProtocolError('bad-text', 0, error.message);
  }
}

function writePayloads(writer: ByteWriter, payloads: Payloads): void {
  writer.mapHeader(payloads.size);
  for (const [protocol, payload] of payloads) {
    writer.text(protocol);
    writer.binary(payload);
  }
}

function readPayloads(reader: ByteReader): Payloads {
  const payloads = new Map<string, Uint8Array>();
  for (let left = reader.mapHeader(); left > 0; left--)
    payloads.set(reader.text(), reader.binary());
  return payloads;
}
