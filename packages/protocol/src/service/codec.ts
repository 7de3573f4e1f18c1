import { ProtocolError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { readClaims, writeClaims } from './claims.ts';
import type { Extension, Field, Layout } from './layouts.ts';
import { LAYOUTS } from './layouts.ts';
import type { Claims, Headers, Payloads, ServiceMessage } from './message.ts';
import { MessageType } from './message.ts';
import type { Timestamp } from './timestamp.ts';

/** A message while it is read or written field by field, by its layout. */
type Fields = Record<string, unknown>;

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

/**
 * What can be read of a message that `decodeServiceMessage` throws at: its type, and those of its
 * fields that are as they should be. For whoever has to say so to somebody who waits for an answer.
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

function readField(
  reader: ByteReader,
  layout: Layout,
  field: Field,
  size: number,
  fields: Fields,
): void {
  if (size < field.from) {
    if (field.presence === 'required') {
      throw new ProtocolError('truncated', reader.offset, `message without its ${field.name}`);
    }
    if (field.presence === 'defaulted' && field.kind !== 'extensions') {
      fields[field.name] = emptyValue(field);
    }
  } else if (field.kind === 'extensions') {
    readExtensions(reader, layout.extensions, fields);
  } else if (field.presence !== 'trailing' || !reader.nil()) {
    fields[field.name] = readValue(reader, field);
  }
}

function readValue(reader: ByteReader, field: Field): unknown {
  switch (field.kind) {
    case 'string':
      return reader.text();
    case 'text':
      return reader.nil() ? '' : reader.text();
    case 'optional text':
      return reader.nil() ? undefined : reader.text();
    case 'optional int':
      return reader.nil() ? undefined : reader.int32();
    case 'int':
    case 'int32':
      return reader.int32();
    case 'boolean':
      return reader.boolean();
    case 'binary':
      return reader.binary();
    case 'strings':
      return readStrings(reader);
    case 'payloads':
      return readPayloads(reader);
    case 'claims':
      return readClaims(reader);
    case 'claims or nil':
      return reader.nil() ? [] : readClaims(reader);
    case 'timestamp':
      return reader.timestamp();
    case 'headers':
      return readHeaders(reader);
    case 'extensions':
      return undefined;
  }
}

function emptyValue(field: Field): unknown {
  switch (field.kind) {
    case 'int':
    case 'int32':
      return 0;
    case 'strings':
      return [];
    case 'headers':
      return new Map();
    case 'optional int':
    case 'optional text':
      return undefined;
    default:
      return '';
  }
}

function readStrings(reader: ByteReader): string[] {
  const count = reader.arrayHeader();
  const values: string[] = [];
  for (let i = 0; i < count; i++) values.push(reader.text());
  return values;
}

function readPayloads(reader: ByteReader): Payloads {
  const count = reader.mapHeader();
  const payloads = new Map<string, Uint8Array>();
  for (let i = 0; i < count; i++) payloads.set(reader.text(), reader.binary());
  return payloads;
}

function readHeaders(reader: ByteReader): Headers {
  const count = reader.mapHeader();
  const headers = new Map<string, string[]>();
  for (let i = 0; i < count; i++) headers.set(reader.text(), readStrings(reader));
  return headers;
}

function readExtensions(
  reader: ByteReader,
  extensions: readonly Extension[],
  fields: Fields,
): void {
  const count = reader.mapHeader();
  for (let i = 0; i < count; i++) {
    const key = reader.int();
    const extension = extensions.find((known) => known.key === key);
    if (extension === undefined) reader.skip();
    else if (!reader.nil()) fields[extension.name] = readExtension(reader, extension);
  }
}

function readExtension(reader: ByteReader, extension: Extension): unknown {
  switch (extension.kind) {
    case 'uint64':
      return reader.uint64();
    case 'int':
      return reader.int32();
    case 'string':
      return reader.text();
    case 'boolean':
      return reader.boolean();
  }
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
  pairs: ReadonlyMap<string, T>,
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
