import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { readClaims, writeClaims } from './claims.ts';
import type { Claims } from './message.ts';

/** What an Ack to RefreshAuth or GetConnectionClaims carries: a claims map (section 18.6). */
export function encodeClaims(claims: Claims): Uint8Array {
  const writer = new ByteWriter(1024);
  writeClaims(writer, claims);
  return new Uint8Array(writer.view());
}

/** Reads the same; nil, or no payload at all, is no claims. Throws ProtocolError. */
export function decodeClaims(payload: Uint8Array = new Uint8Array(0)): Claims {
  const reader = new ByteReader(payload);
  return payload.length === 0 || reader.nil() ? [] : readClaims(reader);
}

/** A connection in a group; `userId` absent where nobody has signed in. */
export interface ListedMember {
  readonly connectionId: string;
  readonly userId?: string;
}

/** Writes what `decodeGroupPage` reads, of so many members; `next` undefined after the last page. */
export function encodeGroupPage(
  members: Iterable<{ readonly id: string; readonly userId: string | undefined }>,
  length: number,
  next: string | undefined,
): Uint8Array {
  const writer = new ByteWriter(64 + 64 * length);
  writer.arrayHeader(2);
  writer.arrayHeader(length);
  for (const { id, userId } of members) {
    writer.arrayHeader(2);
    writer.text(id);
    if (userId === undefined) writer.nil();
    else writer.text(userId);
  }
  if (next === undefined) writer.nil();
  else writer.text(next);
  return new Uint8Array(writer.view());
}

/**
 * What an Ack to GroupMemberQuery carries: members, and the token of the next page (section 18.5).
 * Throws ProtocolError.
 */
export function decodeGroupPage(payload: Uint8Array = new Uint8Array(0)): {
  readonly members: readonly ListedMember[];
  readonly next: string | undefined;
} {
  if (payload.length === 0) return { members: [], next: undefined };
  const reader = new ByteReader(payload);
  reader.arrayHeader();
  const members: ListedMember[] = [];
  for (let left = reader.arrayHeader(); left > 0; left--) members.push(readMember(reader));
  return { members, next: reader.nil() ? undefined : reader.text() };
}

function readMember(reader: ByteReader): ListedMember {
  reader.arrayHeader();
  const connectionId = reader.text();
  return reader.nil() ? { connectionId } : { connectionId, userId: reader.text() };
}
