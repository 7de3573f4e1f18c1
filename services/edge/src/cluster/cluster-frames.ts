import { ByteReader, ByteWriter } from '@trunkline/protocol';
import type { Answer } from '../model/asker.ts';
import { answerOf } from '../model/asker.ts';
import type { ClaimFrame } from './claim-frames.ts';
import { readClaimFrame, writeClaimFrame } from './claim-frames.ts';
import { NO_STATUS, readStatus, writeStatus } from './edge-status.ts';
import type { Heartbeat } from './membership.ts';

/**
 * What edges say to each other: a MessagePack array whose first element is the kind. A kind that is not
 * known, and elements behind those that are, come from a newer minor version and are passed over.
 */
export type ClusterFrame =
  /** Do what this service message says, of this hub. `question` 0: nobody waits for what comes of it. */
  | {
      readonly kind: 'command';
      readonly question: number;
      readonly hub: string;
      readonly body: Uint8Array;
    }
  /** Tell rules of this hub's user groups; `after`: as the answer before said, 0 for the first. */
  | {
      readonly kind: 'rules';
      readonly question: number;
      readonly hub: string;
      readonly after: number;
    }
  /** What came of it. */
  | { readonly kind: 'answer'; readonly question: number; readonly answer: Answer }
  /** The edge is there. `isAsking`: it wants to hear the same of whoever hears this. */
  | { readonly kind: 'heartbeat'; readonly beat: Heartbeat; readonly isAsking: boolean }
  /** The edge goes, and no client or app server is left there. */
  | { readonly kind: 'leaving' }
  /** The one that this is said to counted as gone: what was asked of all edges meanwhile went past it. */
  | { readonly kind: 'passedOver' }
  | ClaimFrame;

/** A command as it is heard: the service message is `bytes[start, end)`, which are lent as the frame is. */
export interface HeardCommand {
  readonly kind: 'command';
  readonly question: number;
  readonly hub: string;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** A frame as it is heard. */
export type HeardFrame = Exclude<ClusterFrame, { kind: 'command' }> | HeardCommand;

const Kind = {
  command: 1,
  answer: 2,
  heartbeat: 3,
  leaving: 4,
  rules: 5,
  passedOver: 6,
} as const;

const writer = new ByteWriter(1024);
/** MessagePack's longest form of binary: a head that has it serves for a body of any length. */
const BINARY_32 = 0xc6;
const LENGTH_BYTES = 4;

/** What stands before the body in a command of one hub for whose outcome nobody waits. */
export class CommandHead {
  readonly #bytes: Buffer;

  constructor(hub: string) {
    writer.clear();
    writeCommandStart(0, hub);
    writer.byte(BINARY_32);
    this.#bytes = Buffer.concat([writer.view(), Buffer.alloc(LENGTH_BYTES)]);
  }

  /** The bytes are lent until the next call. */
  before(body: Uint8Array): Uint8Array {
    this.#bytes.writeUInt32BE(body.length, this.#bytes.length - LENGTH_BYTES);
    return this.#bytes;
  }
}

/** The bytes are lent until the next call. */
export function encodeClusterFrame(frame: ClusterFrame): Uint8Array {
  writer.clear();
  switch (frame.kind) {
    case 'command':
      writeCommandStart(frame.question, frame.hub);
      writer.binary(frame.body);
      break;
    case 'rules':
      writer.arrayHeader(4);
      writer.int(Kind.rules);
      writer.int(frame.question);
      writer.text(frame.hub);
      writer.int(frame.after);
      break;
    case 'answer':
      writeAnswer(frame.question, frame.answer);
      break;
    case 'heartbeat':
      writeHeartbeat(frame.beat, frame.isAsking);
      break;
    case 'leaving':
    case 'passedOver':
      writer.arrayHeader(1);
      writer.int(Kind[frame.kind]);
      break;
    case 'claim':
    case 'scattered':
    case 'located':
      writeClaimFrame(writer, frame);
      break;
  }
  return writer.view();
}

function writeCommandStart(question: number, hub: string): void {
  writer.arrayHeader(4);
  writer.int(Kind.command);
  writer.int(question);
  writer.text(hub);
}

function writeAnswer(question: number, { status, message, payload }: Answer): void {
  writer.arrayHeader(5);
  writer.int(Kind.answer);
  writer.int(question);
  writer.int(status);
  writer.text(message);
  if (payload === undefined) writer.nil();
  else writer.binary(payload);
}

function writeHeartbeat(beat: Heartbeat, isAsking: boolean): void {
  writer.arrayHeader(7);
  writer.int(Kind.heartbeat);
  writer.text(beat.edgeId);
  writer.text(beat.incarnation);
  writer.int(beat.startedAt);
  writer.text(beat.tag);
  writer.boolean(isAsking);
  writeStatus(writer, beat.status);
}

/** How the latest command in the form of a `CommandHead` began, and its hub: mostly more follow. */
let latest = { head: Buffer.alloc(0), hub: '' };

/** Undefined for a kind that is not known. Throws ProtocolError for what is no frame. */
export function decodeClusterFrame(bytes: Uint8Array): HeardFrame | undefined {
  return decodeLikeLatest(bytes) ?? decodeAny(bytes);
}

/** Undefined for what does not begin as the latest, or is not whole. */
function decodeLikeLatest(bytes: Uint8Array): HeardCommand | undefined {
  const { head, hub } = latest;
  const start = head.length + LENGTH_BYTES;
  if (head.length === 0 || bytes.length < start) return undefined;
  for (let at = 0; at < head.length; at++) if (bytes[at] !== head[at]) return undefined;
  let size = 0;
  for (let at = head.length; at < start; at++) size = size * 256 + bytes[at]!;
  const end = start + size;
  if (end > bytes.length) return undefined;
  return { kind: 'command', question: 0, hub, bytes, start, end };
}

function decodeAny(bytes: Uint8Array): HeardFrame | undefined {
  const reader = new ByteReader(bytes);
  const elements = reader.arrayHeader();
  const kind = reader.int();
  switch (kind) {
    case Kind.command: {
      const question = reader.int();
      const hub = reader.text();
      const { bytes, offset: bodyAt } = reader;
      const size = reader.skipBinary();
      const end = reader.offset;
      const isOfHead = question === 0 && bytes[bodyAt] === BINARY_32;
      if (isOfHead) latest = { head: Buffer.from(bytes.subarray(0, bodyAt + 1)), hub };
      return { kind: 'command', question, hub, bytes, start: end - size, end };
    }
    case Kind.rules:
      return {
        kind: 'rules',
        question: reader.int(),
        hub: reader.text(),
        after: reader.int(),
      };
    case Kind.answer: {
      const question = reader.int();
      const status = reader.int();
      const message = reader.text();
      const payload = reader.nil() ? undefined : reader.binary();
      return { kind: 'answer', question, answer: answerOf(status, message, payload) };
    }
    case Kind.heartbeat: {
      const [edgeId, incarnation] = [reader.text(), reader.text()];
      const startedAt = reader.int();
      const tag = reader.text();
      const isAsking = reader.boolean();
      const status = elements < 7 ? NO_STATUS : readStatus(reader);
      const beat = { edgeId, incarnation, startedAt, tag, status };
      return { kind: 'heartbeat', beat, isAsking };
    }
    case Kind.leaving:
      return { kind: 'leaving' };
    case Kind.passedOver:
      return { kind: 'passedOver' };
    default:
      return readClaimFrame(kind, reader);
  }
}
