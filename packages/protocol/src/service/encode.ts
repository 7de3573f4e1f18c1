import { frameBodyStart } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { writeClaims } from './claims.ts';
import type { Extension, Field, Layout } from './layouts.ts';
import { LAYOUTS } from './layouts.ts';
import type { Claims, Headers, Payloads, ServiceMessage } from './message.ts';
import { MessageType } from './message.ts';
import type { Timestamp } from './timestamp.ts';

/** A message while it is written field by field, by its layout. */
type Fields = Readonly<Record<string, unknown>>;

/**
 * Appends one framed message: VarInt length, then its MessagePack array. Nothing is appended when a
 * field's value makes this throw: half a frame would spoil the stream for good.
 */
export function writeServiceMessage(writer: ByteWriter, message: ServiceMessage): void {
  const frame = writer.beginFrame();
  try {
    if (message.type === MessageType.Ping) {
      writer.arrayHeader(1 + message.entries.length);
      writer.int(message.type);
      for (const entry of message.entries) writer.text(entry);
    } else {
      writeByLayout(writer, message.type, message as unknown as Fields);
    }
  } catch (error) {
    writer.length = frame;
    throw error;
  }
  writer.endFrame(frame);
}

/** One framed message in a buffer of its own. */
export function encodeServiceMessage(message: ServiceMessage): Buffer {
  const writer = new ByteWriter(256);
  writeServiceMessage(writer, message);
  return Buffer.from(writer.view());
}

/** The same without the length in front: as edges send it to each other. */
export function encodeServiceBody(message: ServiceMessage): Buffer {
  const frame = encodeServiceMessage(message);
  return frame.subarray(frameBodyStart(frame, 0));
}

function writeByLayout(writer: ByteWriter, type: number, message: Fields): void {
  const layout = LAYOUTS.get(type)!;
  const written = layout.fields.filter(
    (field) => field.presence !== 'trailing' || message[field.name] !== undefined,
  );
  writer.arrayHeader(1 + written.length);
  writer.int(type);
  for (const field of written) writeValue(writer, layout, field, message);
}

function writeValue(writer: ByteWriter, layout: Layout, field: Field, message: Fields): void {
  const value = message[field.name];
  switch (field.kind) {
    case 'string':
    case 'text':
      return writer.text(value as string);
    case 'optional text':
      return value === undefined ? writer.nil() : writer.text(value as string);
    case 'optional int':
      return value === undefined ? writer.nil() : writer.int(value as number);
    case 'int':
      return writer.int(value as number);
    case 'int32':
      return writer.int32(value as number);
    case 'boolean':
      return writer.boolean(value as boolean);
    case 'binary':
      return writer.binary(value as Uint8Array);
    case 'strings':
      return writeStrings(writer, value as readonly string[]);
    case 'payloads':
      return writePairs(writer, value as Payloads, (payload) => writer.binary(payload));
    case 'claims':
    case 'claims or nil':
      return writeClaims(writer, value as Claims);
    case 'timestamp':
      return writer.timestamp(value as Timestamp);
    case 'headers':
      return writePairs(writer, value as Headers, (values) => writeStrings(writer, values));
    case 'extensions':
      return writeExtensions(writer, layout.extensions, message);
  }
}

function writeStrings(writer: ByteWriter, values: readonly string[]): void {
  writer.arrayHeader(values.length);
  for (const value of values) writer.text(value);
}

function writePairs<T>(
  writer: ByteWriter,
  pairs: Iterable<readonly [string, T]> & { readonly size: number },
  writeValueOf: (value: T) => void,
): void {
  writer.mapHeader(pairs.size);
  for (const [key, value] of pairs) {
    writer.text(key);
    writeValueOf(value);
  }
}

/** Members that are set, in ascending order of their keys; false and data type 0 are not set. */
function writeExtensions(
  writer: ByteWriter,
  extensions: readonly Extension[],
  message: Fields,
): void {
  const set = extensions.filter((extension) => {
    const value = message[extension.name];
    return (
      value !== undefined && value !== false && !(extension.name === 'dataType' && value === 0)
    );
  });
  writer.mapHeader(set.length);
  for (const { key, name, kind } of set) {
    writer.int(key);
    const value = message[name];
    if (kind === 'uint64') writer.uint64(value as Uint8Array);
    else if (kind === 'int') writer.int(value as number);
    else if (kind === 'string') writer.text(value as string);
    else writer.boolean(value as boolean);
  }
}
