import { ByteReader, ByteWriter, ProtocolError } from '@trunkline/protocol';
import type { Software } from '../sessions/host.ts';
import type { Introduction } from '../sessions/introduction.ts';
import type { Affinity } from '../sessions/served.ts';
import type { TransportLabel } from '../sessions/transport.ts';
import { TRANSPORT_LABELS } from '../sessions/transport.ts';

/** A client for an app server of the edge that this is said to. `n`: a number for each time that a client is. */
export interface Opening {
  readonly kind: 'open';
  readonly n: number;
  readonly hub: string;
  readonly id: string;
  readonly userId: string | undefined;
  readonly transport: TransportLabel;
  readonly introduction: Introduction;
  readonly sticky: Affinity['sticky'];
  /** The app server that is to have it. */
  readonly serverId: string;
  readonly protocol: string;
  readonly handshake: Uint8Array;
  readonly migratedFrom: string | undefined;
}

/** What a host edge says of the app server that has a guest. */
export interface Placed {
  readonly kind: 'placed';
  readonly n: number;
  readonly serverId: string;
  readonly migrationLevel: number;
  readonly software: Software;
}

/**
 * What an edge and the host edge of some of its clients say to each other: a MessagePack array of kind,
 * number of the guest, and more. The bus keeps order, so that nothing has to be answered before the next
 * thing is said; what is said of a number that is not known any more counts for nothing.
 */
export type GuestFrame =
  | Opening
  | Placed
  /** Hub messages of the client, `count` of them: of the last piece, where they come in several. */
  | {
      readonly kind: 'toHost';
      readonly n: number;
      readonly count: number;
      readonly bytes: Uint8Array;
    }
  /** What the app server says to the client. */
  | { readonly kind: 'fromHost'; readonly n: number; readonly bytes: Uint8Array }
  /** The handshake response of the client is out. */
  | { readonly kind: 'welcomed'; readonly n: number }
  /** The named app server does not take it. */
  | { readonly kind: 'noRoom'; readonly n: number }
  /** The app server has not been heard for a while: the client is to hear that somebody is there. */
  | { readonly kind: 'quiet'; readonly n: number }
  /** The client has ended; or, with `to`, leaves for that app server, empty where none is known yet. */
  | { readonly kind: 'left'; readonly n: number; readonly to: string | undefined }
  /** For the app server: a service message of the client's edge. */
  | { readonly kind: 'write'; readonly n: number; readonly bytes: Uint8Array }
  /** The app server passes on a ClientCompletion. */
  | { readonly kind: 'answered'; readonly n: number; readonly bytes: Uint8Array }
  /** The app server has ended the client. */
  | { readonly kind: 'closedByHost'; readonly n: number; readonly error: string }
  /** The server connection is lost. */
  | { readonly kind: 'hostLost'; readonly n: number; readonly isDeparting: boolean }
  /** The app server goes: the client is to leave it within so many milliseconds. */
  | { readonly kind: 'moveAway'; readonly n: number; readonly ms: number }
  /** The host edge ends the client, for one of CLIENT_CLOSE_REASONS. */
  | {
      readonly kind: 'close';
      readonly n: number;
      readonly reason: string;
      readonly error: string | undefined;
    }
  /** The app server has been given so many bytes more of what the client said. */
  | { readonly kind: 'taken'; readonly n: number; readonly bytes: number }
  /**
   * Something between the two may be lost: all guests on both sides are over, those of the one that says
   * this up to the number before `n`. It is answered by `over`.
   */
  | { readonly kind: 'lineLost'; readonly n: number }
  /** All guests of the one that says this are over, up to the number before `n`. */
  | { readonly kind: 'over'; readonly n: number };

/** What the edge of a client says to its host edge. */
export type ForHostEdge = Extract<
  GuestFrame,
  { kind: 'open' | 'toHost' | 'welcomed' | 'left' | 'write' }
>;
/** The other way round. */
export type ForOwner = Exclude<GuestFrame, ForHostEdge | { kind: 'lineLost' | 'over' }>;

const Kind = {
  open: 30,
  placed: 31,
  toHost: 32,
  fromHost: 33,
  welcomed: 34,
  noRoom: 35,
  quiet: 36,
  left: 37,
  write: 38,
  answered: 39,
  closedByHost: 40,
  hostLost: 41,
  moveAway: 42,
  close: 43,
  taken: 44,
  lineLost: 45,
  over: 46,
} as const satisfies Record<GuestFrame['kind'], number>;

const FIRST_KIND = 30;
const LAST_KIND = 49;

const writer = new ByteWriter(16 * 1024);

/** Filled in anew for each frame with data: nearly all are. */
const toHost = { kind: 'toHost', n: 0, count: 0, bytes: new Uint8Array() } as const;
const fromHost = { kind: 'fromHost', n: 0, bytes: new Uint8Array() } as const;
type Mutable<T> = { -readonly [K in keyof T]: T[K] extends number ? number : T[K] };

/** Whether a message of another edge is one of these. */
export function isGuestFrame(bytes: Uint8Array): boolean {
  const kind = bytes[1]!;
  return kind >= FIRST_KIND && kind <= LAST_KIND;
}

/** What every frame begins with. */
function begin(kind: number, n: number, elements: number): void {
  writer.clear();
  writer.arrayHeader(2 + elements);
  writer.int(kind);
  writer.int(n);
}

/** The bytes are lent until the next call of any of these. */
export function encodeToHost(n: number, count: number, bytes: Uint8Array): Uint8Array {
  begin(Kind.toHost, n, 2);
  writer.int(count);
  writer.binary(bytes);
  return writer.view();
}

export function encodeFromHost(n: number, bytes: Uint8Array): Uint8Array {
  begin(Kind.fromHost, n, 1);
  writer.binary(bytes);
  return writer.view();
}

type Rare = Exclude<GuestFrame, { kind: 'toHost' | 'fromHost' }>;

export function encodeGuestFrame(frame: Rare): Uint8Array {
  const { kind, n } = frame;
  switch (kind) {
    case 'open':
      writeOpening(frame);
      break;
    case 'placed':
      writePlaced(frame);
      break;
    case 'left':
      begin(Kind.left, n, 1);
      writeText(frame.to);
      break;
    case 'write':
    case 'answered':
      begin(Kind[kind], n, 1);
      writer.binary(frame.bytes);
      break;
    case 'closedByHost':
      begin(Kind.closedByHost, n, 1);
      writer.text(frame.error);
      break;
    case 'hostLost':
      begin(Kind.hostLost, n, 1);
      writer.boolean(frame.isDeparting);
      break;
    case 'moveAway':
      begin(Kind.moveAway, n, 1);
      writer.int(frame.ms);
      break;
    case 'close':
      begin(Kind.close, n, 2);
      writer.text(frame.reason);
      writeText(frame.error);
      break;
    case 'taken':
      begin(Kind.taken, n, 1);
      writer.int(frame.bytes);
      break;
    default:
      begin(Kind[kind], n, 0);
  }
  return writer.view();
}

function writeText(text: string | undefined): void {
  if (text === undefined) writer.nil();
  else writer.text(text);
}

function writeOpening(opening: Opening): void {
  const { tokenPayload, headers, queryString, diagnostic } = opening.introduction;
  begin(Kind.open, opening.n, 13);
  writer.text(opening.hub);
  writer.text(opening.id);
  writeText(opening.userId);
  writer.text(opening.transport);
  writer.text(tokenPayload);
  writer.arrayHeader(headers.length);
  for (const line of headers) writer.text(line);
  writer.text(queryString);
  writer.boolean(diagnostic === true);
  writer.text(opening.sticky);
  writer.text(opening.serverId);
  writer.text(opening.protocol);
  writer.binary(opening.handshake);
  writeText(opening.migratedFrom);
}

function writePlaced({ n, serverId, migrationLevel, software }: Placed): void {
  begin(Kind.placed, n, 7);
  writer.text(serverId);
  writer.int(migrationLevel);
  writer.boolean(software.reopensClients);
  writer.boolean(software.passesAnswers);
  writer.boolean(software.losesEarlyAnswers);
  writer.boolean(software.restsStreams);
  writer.boolean(software.updatesClaims);
}

/**
 * Undefined for a kind that is not known. Throws ProtocolError for what is no frame. The frame is lent
 * until the next call, as its bytes are.
 */
export function decodeGuestFrame(bytes: Uint8Array): GuestFrame | undefined {
  const reader = new ByteReader(bytes);
  reader.arrayHeader();
  const kind = reader.int();
  const n = reader.int();
  if (kind === Kind.toHost) {
    const frame: Mutable<typeof toHost> = toHost;
    frame.n = n;
    frame.count = reader.int();
    frame.bytes = reader.binary() as typeof frame.bytes;
    return frame;
  }
  if (kind === Kind.fromHost) {
    const frame: Mutable<typeof fromHost> = fromHost;
    frame.n = n;
    frame.bytes = reader.binary() as typeof frame.bytes;
    return frame;
  }
  return decodeRare(kind, n, reader);
}

function decodeRare(kind: number, n: number, reader: ByteReader): GuestFrame | undefined {
  switch (kind) {
    case Kind.open:
      return readOpening(n, reader);
    case Kind.placed:
      return readPlaced(n, reader);
    case Kind.welcomed:
      return { kind: 'welcomed', n };
    case Kind.noRoom:
      return { kind: 'noRoom', n };
    case Kind.quiet:
      return { kind: 'quiet', n };
    case Kind.left:
      return { kind: 'left', n, to: readText(reader) };
    case Kind.write:
      return { kind: 'write', n, bytes: reader.binary() };
    case Kind.answered:
      return { kind: 'answered', n, bytes: reader.binary() };
    case Kind.closedByHost:
      return { kind: 'closedByHost', n, error: reader.text() };
    case Kind.hostLost:
      return { kind: 'hostLost', n, isDeparting: reader.boolean() };
    case Kind.moveAway:
      return { kind: 'moveAway', n, ms: reader.int() };
    case Kind.close:
      return { kind: 'close', n, reason: reader.text(), error: readText(reader) };
    case Kind.taken:
      return { kind: 'taken', n, bytes: reader.int() };
    case Kind.lineLost:
      return { kind: 'lineLost', n };
    case Kind.over:
      return { kind: 'over', n };
    default:
      return undefined;
  }
}

function readText(reader: ByteReader): string | undefined {
  return reader.nil() ? undefined : reader.text();
}

function readOpening(n: number, reader: ByteReader): Opening {
  const hub = reader.text();
  const id = reader.text();
  const userId = readText(reader);
  const transport = oneOf(TRANSPORT_LABELS, reader);
  return {
    kind: 'open',
    n,
    hub,
    id,
    userId,
    transport,
    introduction: readIntroduction(reader),
    sticky: oneOf(STICKY, reader),
    serverId: reader.text(),
    protocol: reader.text(),
    handshake: reader.binary(),
    migratedFrom: readText(reader),
  };
}

const STICKY = ['Disabled', 'Preferred', 'Required'] as const;

function oneOf<T extends string>(words: readonly T[], reader: ByteReader): T {
  const at = reader.offset;
  const word = reader.text();
  const found = words.find((known) => known === word);
  if (found === undefined)
    throw new ProtocolError('wrong-type', at, `expected one of ${words.join()}`);
  return found;
}

function readIntroduction(reader: ByteReader): Introduction {
  const tokenPayload = reader.text();
  const headers: string[] = [];
  for (let left = reader.arrayHeader(); left > 0; left--) headers.push(reader.text());
  const queryString = reader.text();
  const introduction = { tokenPayload, headers, queryString };
  return reader.boolean() ? { ...introduction, diagnostic: true } : introduction;
}

function readPlaced(n: number, reader: ByteReader): Placed {
  return {
    kind: 'placed',
    n,
    serverId: reader.text(),
    migrationLevel: reader.int(),
    software: {
      reopensClients: reader.boolean(),
      passesAnswers: reader.boolean(),
      losesEarlyAnswers: reader.boolean(),
      restsStreams: reader.boolean(),
      updatesClaims: reader.boolean(),
    },
  };
}
