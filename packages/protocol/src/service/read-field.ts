import { ProtocolError } from '../errors.ts';
import type { ByteReader } from './byte-reader.ts';
import { readClaims } from './claims.ts';
import type { Extension, Field, Layout } from './layouts.ts';
import type { Headers, Payloads } from './message.ts';

/** A message while it is read field by field, by its layout. */
export type Fields = Record<string, unknown>;

/** What most messages leave out is nobody. */
const NO_STRINGS: readonly string[] = [];

/** Reads the next element of a message of `size` elements, as the field that the layout has there. */
export function readField(
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
      return NO_STRINGS;
    case 'headers':
      return new Map();
    case 'optional int':
    case 'optional text':
      return undefined;
    default:
      return '';
  }
}

export function readStrings(reader: ByteReader): readonly string[] {
  const count = reader.arrayHeader();
  if (count === 0) return NO_STRINGS;
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
  const headers = new Map<string, readonly string[]>();
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
