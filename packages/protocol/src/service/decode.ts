import { ProtocolError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { LAYOUTS } from './layouts.ts';
import type { ServiceMessage } from './message.ts';
import { MESSAGE_NAMES, MessageType } from './message.ts';
import type { Fields } from './read-field.ts';
import { readField } from './read-field.ts';

/**
 * Reads the body of one message, the bytes behind its length prefix; binary fields are slices of
 * `bytes`, valid as long as it is. Extra trailing elements and unknown extension keys are passed
 * over; an unknown message id gives undefined (service protocol reference, section 5.4).
 * Throws ProtocolError for anything malformed.
 */
export function decodeServiceMessage(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): ServiceMessage | undefined {
  const reader = new ByteReader(bytes, start, end);
  const size = reader.arrayHeader();
  const type = reader.int();
  if (type === MessageType.Ping) {
    const entries: string[] = [];
    for (let i = 1; i < size; i++) entries.push(reader.text());
    return { type, entries };
  }
  const layout = LAYOUTS.get(type);
  if (layout === undefined) return undefined;
  const fields: Fields = { type };
  for (const field of layout.fields) readField(reader, layout, field, size, fields);
  return fields as unknown as ServiceMessage;
}

/** A message that cannot be read, in a frame that can. */
export class UnreadableMessage {
  readonly error: ProtocolError;
  /** Its type, and those of its fields that are as they should be. */
  readonly remains: Readonly<Record<string, unknown>>;

  constructor(error: ProtocolError, remains: Readonly<Record<string, unknown>>) {
    this.error = error;
    this.remains = remains;
  }

  /** The name of its type; `unknown` where that has none, or is not left. */
  get typeName(): string {
    return MESSAGE_NAMES.get(this.remains['type'] as number) ?? 'unknown';
  }
}

/**
 * As `decodeServiceMessage`, but answers what that throws at. For both ends of a server connection:
 * the frames around such a message are good, and a layout that is new must not end a connection with
 * all its clients. Whoever waits for what it says can be told, as far as that is left.
 */
export function readServiceMessage(
  bytes: Uint8Array,
  start: number,
  end: number,
): ServiceMessage | UnreadableMessage | undefined {
  try {
    return decodeServiceMessage(bytes, start, end);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return new UnreadableMessage(error, salvageServiceMessage(bytes, start, end));
  }
}

/**
 * What can be read of a message that `decodeServiceMessage` throws at: its type, and those of its
 * fields that are as they should be.
 */
export function salvageServiceMessage(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): Readonly<Record<string, unknown>> {
  const fields: Fields = {};
  const reader = new ByteReader(bytes, start, end);
  orNothing(() => {
    const size = reader.arrayHeader();
    const type = reader.int();
    fields['type'] = type;
    const layout = LAYOUTS.get(type);
    for (const field of layout?.fields ?? []) {
      if (size < field.from) return;
      const at = reader.offset;
      if (orNothing(() => readField(reader, layout!, field, size, fields))) continue;
      reader.offset = at;
      reader.skip();
    }
  });
  return fields;
}

/** False where `read` breaks off at something malformed. */
function orNothing(read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return false;
  }
}
