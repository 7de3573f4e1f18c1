import {
  handshakeErrors,
  MAX_HUB_PROTOCOL_VERSION,
  ProtocolError,
  readHandshakeRequest,
} from '@trunkline/protocol';

import type { HubProtocol } from '../protocols/index.ts';
import type { HubRoute } from './host.ts';

/** What a client's first bytes come to. */
export type HandshakeOutcome =
  | { readonly protocol: HubProtocol; readonly rest: Uint8Array }
  /** The text that the client gets to read. */
  | { readonly refusal: string };

/** Collects a handshake request, which may come in pieces (client protocols reference, 3.1). */
export class Handshake {
  readonly #route: HubRoute;
  #begun: Uint8Array = new Uint8Array();

  constructor(route: HubRoute) {
    this.#route = route;
  }

  /** Undefined while the request is not complete; after another answer, this is of no more use. */
  read(bytes: Uint8Array): HandshakeOutcome | undefined {
    this.#begun = Buffer.concat([this.#begun, bytes]);
    const { maximumReceiveMessageSize, enableDetailedErrors } = this.#route.settings;
    try {
      const request = readHandshakeRequest(this.#begun, maximumReceiveMessageSize);
      if (request === undefined) return undefined;
      return this.#agree(request.protocol, request.version, this.#begun.subarray(request.length));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      if (error.code === 'oversized') return { refusal: handshakeErrors.canceled() };
      const detail = `InvalidDataException: ${error.message}`;
      return { refusal: handshakeErrors.unexpected(enableDetailedErrors ? detail : undefined) };
    }
  }

  #agree(name: string, version: number, rest: Uint8Array): HandshakeOutcome {
    const protocol = this.#route.protocols.find((known) => known.name === name.toLowerCase());
    if (protocol === undefined) return { refusal: handshakeErrors.unknownProtocol(name) };
    if (version > MAX_HUB_PROTOCOL_VERSION) {
      return { refusal: handshakeErrors.unsupportedVersion(protocol.name, version) };
    }
    return { protocol, rest };
  }
}
