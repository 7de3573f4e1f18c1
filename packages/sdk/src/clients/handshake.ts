import {
  handshakeErrors,
  MAX_HUB_PROTOCOL_VERSION,
  ProtocolError,
  readHandshakeRequest,
} from '@trunkline/protocol';

import { clientErrorText, InvalidDataException } from '../errors.ts';
import type { Logger } from '../options.ts';
import type { HubProtocol } from '../protocols/index.ts';
import type { Authorize } from './authorization.ts';
import { isYes } from './authorization.ts';
import { callErrors } from './call-errors.ts';
import type { HubContext } from './context.ts';
import { tellProtocol } from './context.ts';
import type { HubRoute } from './host.ts';
import { RECORD_OVERHEAD } from './pending-bytes.ts';
import type { PendingBytes } from './pending-bytes.ts';

/** What a client's first bytes come to. */
export type HandshakeOutcome =
  | { readonly protocol: HubProtocol; readonly rest: Uint8Array }
  /** The text that the client gets to read. */
  | { readonly refusal: string };

export interface HandshakeOptions {
  readonly route: HubRoute;
  readonly context: HubContext;
  readonly logger: Logger;
  readonly pending: PendingBytes;
  /** This is of no more use after it, and what else it says does not count. */
  readonly done: (outcome: HandshakeOutcome) => void;
}

/**
 * Collects a handshake request, which may come in pieces (client protocols reference, 3.1), and asks
 * whether its client may be there.
 */
export class Handshake {
  readonly #options: HandshakeOptions;
  #begun: Uint8Array = new Uint8Array();
  /** What has come behind the request; undefined before the request is complete. */
  #rest: Uint8Array[] | undefined;
  /** Bytes of both that are counted. */
  #counted = 0;

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  push(bytes: Uint8Array): void {
    if (this.#rest !== undefined) {
      if (this.#mayKeep(bytes)) this.#rest.push(bytes.slice());
      return;
    }
    this.#begun = Buffer.concat([this.#begun, bytes]);
    const outcome = this.#read();
    const { authorize } = this.#options.route;
    if (outcome === undefined) {
      this.#mayKeep(bytes);
    } else if ('refusal' in outcome || authorize === undefined) {
      this.#done(outcome);
    } else if (this.#mayKeep(outcome.rest)) {
      this.#rest = [outcome.rest];
      void this.#admit(outcome.protocol, authorize);
    }
  }

  /** Drops what is kept, for a client that has gone. */
  close(): void {
    this.#begun = new Uint8Array();
    this.#rest = [];
  }

  /** Clients wait for the answer to their handshake, so that little comes before it. */
  #mayKeep({ length }: Uint8Array): boolean {
    const size = length + RECORD_OVERHEAD;
    try {
      this.#options.pending.take(size);
      this.#counted += size;
      return true;
    } catch {
      this.#done({ refusal: handshakeErrors.canceled() });
      return false;
    }
  }

  #done(outcome: HandshakeOutcome): void {
    this.#options.pending.give(this.#counted);
    this.#counted = 0;
    this.#options.done(outcome);
  }

  #read(): HandshakeOutcome | undefined {
    const { maximumReceiveMessageSize } = this.#options.route.settings;
    try {
      const request = readHandshakeRequest(this.#begun, maximumReceiveMessageSize);
      if (request === undefined) return undefined;
      return this.#agree(request.protocol, request.version, this.#begun.subarray(request.length));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      if (error.code === 'oversized') return { refusal: handshakeErrors.canceled() };
      return this.#unexpected(new InvalidDataException(error.message));
    }
  }

  #agree(name: string, version: number, rest: Uint8Array): HandshakeOutcome {
    const { protocols } = this.#options.route;
    const protocol = protocols.find((known) => known.name === name.toLowerCase());
    if (protocol === undefined) return { refusal: handshakeErrors.unknownProtocol(name) };
    if (version > MAX_HUB_PROTOCOL_VERSION) {
      return { refusal: handshakeErrors.unsupportedVersion(protocol.name, version) };
    }
    tellProtocol(this.#options.context, protocol.name);
    return { protocol, rest };
  }

  async #admit(protocol: HubProtocol, authorize: Authorize): Promise<void> {
    const { context, logger, route } = this.#options;
    try {
      const admitted = await isYes(authorize(context));
      const rest = Buffer.concat(this.#rest!);
      this.#done(admitted ? { protocol, rest } : { refusal: callErrors.unauthorizedUser });
    } catch (error) {
      logger.error(`${route.hubClass.name}: authorize threw`, error);
      this.#done(this.#unexpected(error));
    }
  }

  #unexpected(error: unknown): HandshakeOutcome {
    const { enableDetailedErrors } = this.#options.route.settings;
    return { refusal: clientErrorText(handshakeErrors.unexpected(), error, enableDetailedErrors) };
  }
}
