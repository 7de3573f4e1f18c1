import {
  encodeHandshakeError,
  handshakeErrors,
  MAX_HUB_PROTOCOL_VERSION,
  ProtocolError,
  readHandshakeRequest,
} from '@trunkline/protocol';

import { jsonProtocol } from './json-protocol.ts';
import { messagepackProtocol } from './messagepack-protocol.ts';
import type { HubProtocol } from './messages.ts';

/** In the order in which payloads are written. */
export const HUB_PROTOCOLS: readonly HubProtocol[] = [jsonProtocol, messagepackProtocol];

/** The hub protocol of this name, ignoring case. */
export function hubProtocolNamed(name: string | undefined): HubProtocol | undefined {
  const lower = name?.toLowerCase();
  return HUB_PROTOCOLS.find((known) => known.name === lower);
}

export const HANDSHAKE_CANCELED = encodeHandshakeError(handshakeErrors.canceled());

/** What a client's first bytes make of it: a protocol and how many of them it took, or a refusal. */
export type HandshakeResult =
  | { readonly protocol: HubProtocol; readonly length: number }
  | { readonly refusal: Uint8Array };

/**
 * Reads a hub handshake request (client protocols reference, section 3.1). Undefined while its end
 * has not come.
 */
export function shakeHands(bytes: Uint8Array, limit: number): HandshakeResult | undefined {
  try {
    const request = readHandshakeRequest(bytes, limit);
    if (request === undefined) return undefined;
    const { protocol: name, version, length } = request;
    const protocol = hubProtocolNamed(name);
    if (protocol === undefined) return refuse(handshakeErrors.unknownProtocol(name));
    if (version <= MAX_HUB_PROTOCOL_VERSION) return { protocol, length };
    return refuse(handshakeErrors.unsupportedVersion(name, version));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return error.code === 'oversized'
      ? { refusal: HANDSHAKE_CANCELED }
      : refuse(handshakeErrors.unexpected());
  }
}

function refuse(text: string): HandshakeResult {
  return { refusal: encodeHandshakeError(text) };
}
