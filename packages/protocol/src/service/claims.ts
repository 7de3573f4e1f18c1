import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { Claims } from './message.ts';

/** A map whose keys may repeat. An OpenConnection without one is lost in the .NET SDK (section 20.3). */
export function readClaims(reader: ByteReader): Claims {
  const count = reader.mapHeader();
  const claims: [string, string][] = [];
  for (let i = 0; i < count; i++) claims.push([reader.text(), reader.text()]);
  return claims;
}

export function writeClaims(writer: ByteWriter, claims: Claims): void {
  writer.mapHeader(claims.length);
  for (const [type, value] of claims) {
    writer.text(type);
    writer.text(value);
  }
}
