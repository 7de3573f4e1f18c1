import { ProtocolError } from '../errors.ts';

/** Ends every handshake message, and every hub message of a text protocol. */
export const RECORD_SEPARATOR = 0x1e;

/** What a client asks for, whatever the hub protocol, in JSON (client protocols reference, 3.1). */
export interface HubHandshakeRequest {
  protocol: string;
  version: number;
  /** Bytes consumed, RS included; hub messages may follow. */
  length: number;
}

export interface HubHandshakeResponse {
  /** Absent when the handshake succeeded. */
  error?: string;
  /** Bytes consumed, RS included; hub messages may follow. */
  length: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** `{}` RS, the response that opens a hub connection. Shared: never write to it. */
export const HANDSHAKE_SUCCESS: Uint8Array = encodeRecord({});

export function encodeHandshakeRequest(protocol: string, version: number): Uint8Array {
  return encodeRecord({ protocol, version });
}

export function encodeHandshakeError(text: string): Uint8Array {
  return encodeRecord({ error: text });
}

/**
 * Reads the request a client connection starts with; members that it need not have are passed over.
 * Undefined: no RS has come yet.
 * Throws ProtocolError `oversized` when it does not end within `limit` bytes (RS included), and
 * `bad-text` when it is not a handshake request.
 */
export function readHandshakeRequest(
  bytes: Uint8Array,
  limit: number,
): HubHandshakeRequest | undefined {
  const length = bytes.subarray(0, limit).indexOf(RECORD_SEPARATOR) + 1;
  if (length === 0 && bytes.length < limit) return undefined;
  if (length === 0) {
    throw new ProtocolError('oversized', limit, `the handshake is longer than ${limit} bytes`);
  }
  const { protocol, version } = parseRecord(bytes, length);
  if (typeof protocol !== 'string') throw notHandshake('its protocol is not a string');
  if (typeof version !== 'number' || !Number.isSafeInteger(version)) {
    throw notHandshake('its version is not an integer');
  }
  return { protocol, version, length };
}

/**
 * Reads the response an app server's stream starts with. Undefined: no RS has come yet. A null or
 * empty `error` is a success, as it is to every client, and one with a `type` is none. Throws
 * ProtocolError `bad-text`.
 */
export function readHandshakeResponse(bytes: Uint8Array): HubHandshakeResponse | undefined {
  const length = bytes.indexOf(RECORD_SEPARATOR) + 1;
  if (length === 0) return undefined;
  const { type, error = null } = parseRecord(bytes, length);
  if (type !== undefined) throw notHandshake('it has a type, as hub messages do');
  if (error === null || error === '') return { length };
  if (typeof error !== 'string') throw notHandshake('its error is not a string');
  return { error, length };
}

function encodeRecord(message: object): Uint8Array {
  // JSON escapes control characters, so RS appears only where it is added here.
  return encoder.encode(JSON.stringify(message) + String.fromCharCode(RECORD_SEPARATOR));
}

function parseRecord(bytes: Uint8Array, length: number): Record<string, unknown> {
  let message: unknown;
  try {
    message = JSON.parse(decoder.decode(bytes.subarray(0, length - 1)));
  } catch {
    throw notHandshake('it is not UTF-8 JSON');
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    throw notHandshake('it is not a JSON object');
  }
  return message as Record<string, unknown>;
}

function notHandshake(why: string): ProtocolError {
  return new ProtocolError('bad-text', 0, `not a handshake message: ${why}`);
}
