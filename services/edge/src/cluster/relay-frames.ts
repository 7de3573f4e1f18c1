import { ByteReader, ByteWriter } from '@trunkline/protocol';
import type { HttpRequest } from '../ports/listener.ts';

/**
 * What edges say to each other of requests that have landed at one and are for a client of another: see
 * `ClusterFrame`. `relay` is the number of one such request, given by the edge where it has landed.
 */
export type RelayFrame =
  | { readonly kind: 'request'; readonly relay: number; readonly request: HttpRequest }
  /** More of the request's body. */
  | {
      readonly kind: 'body';
      readonly relay: number;
      readonly bytes: Uint8Array;
      readonly isLast: boolean;
    }
  /** How the answer begins; it is all of it where `isLast`. */
  | {
      readonly kind: 'head';
      readonly relay: number;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly bytes: Uint8Array;
      readonly isLast: boolean;
    }
  /** More of the answer. */
  | {
      readonly kind: 'part';
      readonly relay: number;
      readonly bytes: Uint8Array;
      readonly isLast: boolean;
    }
  /** The owner cuts the connection of the request. */
  | { readonly kind: 'cut'; readonly relay: number }
  /** The peer has gone, or has been answered by the edge where it landed. */
  | { readonly kind: 'gone'; readonly relay: number }
  /** So many bytes of the request's body, or of the answer, have been taken. */
  | {
      readonly kind: 'taken';
      readonly relay: number;
      readonly of: 'body' | 'answer';
      readonly bytes: number;
    }
  /** So many bytes of such frames have come, of whatever relay. */
  | { readonly kind: 'heard'; readonly bytes: number }
  /** Something of that may be lost: all relays between the two edges are over. */
  | { readonly kind: 'broken' };

const Kind = {
  request: 20,
  body: 21,
  head: 22,
  part: 23,
  cut: 24,
  gone: 25,
  taken: 26,
  heard: 27,
  broken: 28,
} as const;

const writer = new ByteWriter(1024);

/** The bytes are lent until the next call. */
export function encodeRelayFrame(frame: RelayFrame): Uint8Array {
  writer.clear();
  switch (frame.kind) {
    case 'request':
      begin(7, frame);
      writeRequest(frame.request);
      break;
    case 'head':
      begin(6, frame);
      writer.int(frame.status);
      writeHeaders(Object.entries(frame.headers));
      writer.binary(frame.bytes);
      writer.boolean(frame.isLast);
      break;
    case 'body':
    case 'part':
      begin(4, frame);
      writer.binary(frame.bytes);
      writer.boolean(frame.isLast);
      break;
    case 'cut':
    case 'gone':
      begin(2, frame);
      break;
    case 'taken':
      begin(4, frame);
      writer.boolean(frame.of === 'body');
      writer.int(frame.bytes);
      break;
    case 'heard':
      writer.arrayHeader(2);
      writer.int(Kind.heard);
      writer.int(frame.bytes);
      break;
    case 'broken':
      writer.arrayHeader(1);
      writer.int(Kind.broken);
      break;
  }
  return writer.view();
}

/** Undefined for a kind that is not known. Throws ProtocolError for what is no frame. */
export function decodeRelayFrame(bytes: Uint8Array): RelayFrame | undefined {
  const reader = new ByteReader(bytes);
  reader.arrayHeader();
  switch (reader.int()) {
    case Kind.request:
      return { kind: 'request', relay: reader.int(), request: readRequest(reader) };
    case Kind.head: {
      const [relay, status, headers] = [reader.int(), reader.int(), readHeaders(reader)];
      const body = { bytes: reader.binary(), isLast: reader.boolean() };
      return { kind: 'head', relay, status, headers: Object.fromEntries(headers), ...body };
    }
    case Kind.body:
      return { kind: 'body', ...readPiece(reader) };
    case Kind.part:
      return { kind: 'part', ...readPiece(reader) };
    case Kind.cut:
      return { kind: 'cut', relay: reader.int() };
    case Kind.gone:
      return { kind: 'gone', relay: reader.int() };
    case Kind.taken: {
      const relay = reader.int();
      const of = reader.boolean() ? 'body' : 'answer';
      return { kind: 'taken', relay, of, bytes: reader.int() };
    }
    case Kind.heard:
      return { kind: 'heard', bytes: reader.int() };
    case Kind.broken:
      return { kind: 'broken' };
    default:
      return undefined;
  }
}

function begin(elements: number, { kind, relay }: RelayFrame & { relay: number }): void {
  writer.arrayHeader(elements);
  writer.int(Kind[kind]);
  writer.int(relay);
}

function writeRequest({ method, path, query, headers, remoteAddress }: HttpRequest): void {
  writer.text(method);
  writer.text(path);
  writer.text(query);
  writeHeaders([...headers]);
  writer.text(remoteAddress);
}

function readRequest(reader: ByteReader): HttpRequest {
  return {
    method: reader.text(),
    path: reader.text(),
    query: reader.text(),
    headers: new Map(readHeaders(reader)),
    remoteAddress: reader.text(),
  };
}

function writeHeaders(headers: readonly (readonly [string, string])[]): void {
  writer.arrayHeader(headers.length);
  for (const [name, value] of headers) {
    writer.text(name);
    writer.text(value);
  }
}

function readHeaders(reader: ByteReader): [string, string][] {
  const headers: [string, string][] = [];
  for (let left = reader.arrayHeader(); left > 0; left--) {
    headers.push([reader.text(), reader.text()]);
  }
  return headers;
}

function readPiece(reader: ByteReader): { relay: number; bytes: Uint8Array; isLast: boolean } {
  return { relay: reader.int(), bytes: reader.binary(), isLast: reader.boolean() };
}
