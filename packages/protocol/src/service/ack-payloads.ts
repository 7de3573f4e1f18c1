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
  return payload.length === 0 ? [] : readClaims(new ByteReader(payload));
}
