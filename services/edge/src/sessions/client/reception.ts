import { TRANSPORT_BITS } from '@trunkline/protocol';
import type { HttpAnswer, HttpRequest } from '../../ports/listener.ts';
import type { Granted } from '../homes.ts';
import type { HubDirectory } from '../hub-directory.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import type { Introduction } from '../introduction.ts';
import {
  introductionLength,
  MAX_INTRODUCTION_LENGTH,
  visibleHeaders,
  visibleQuery,
} from '../introduction.ts';
import { signInEnd } from '../sign-in.ts';
import type { Transport } from '../transport.ts';
import { BUSY, DRAINING, notServed, text } from './answers.ts';
import type { ClientContext } from './client-context.ts';
import { ClientSession } from './client-session.ts';
import type { Visitor } from './visitor.ts';

/** A visitor that may come in, if it has an id. */
export interface Received {
  readonly visitor: Visitor;
  readonly hub: HubRuntime;
  readonly introduction: Introduction;
  readonly transport: Transport;
}

/** An id that is used up so that nobody else connects with it. */
export interface Claimed extends Granted {
  readonly id: string;
}

/** Makes sessions of visitors: everything about them but their ids. */
export class Reception {
  readonly #context: ClientContext;
  readonly #hubs: HubDirectory;

  constructor(context: ClientContext, hubs: HubDirectory) {
    this.#context = context;
    this.#hubs = hubs;
  }

  /** Whom its hub would get to know, or why it does not. */
  receive(
    visitor: Visitor,
    { headers, query }: HttpRequest,
    transport: Transport,
  ): Received | HttpAnswer {
    const { tokenPayload, claims, source } = visitor;
    const { limits, counters } = this.#context;
    if (this.#context.isDraining) {
      counters.refusals.add('draining');
      return DRAINING;
    }
    if ((claims.transports & limits.transports & TRANSPORT_BITS[transport.name]) === 0) {
      return notServed(transport.name);
    }
    const introduction: Introduction = {
      tokenPayload,
      headers: visibleHeaders(headers, source),
      queryString: visibleQuery(query),
      ...(claims.diagnostic && { diagnostic: true }),
    };
    if (introductionLength(introduction) > MAX_INTRODUCTION_LENGTH) {
      counters.refusals.add('introduction_bytes');
      return text(
        431,
        `Token, headers and query are over ${MAX_INTRODUCTION_LENGTH} characters.`,
        'introduction_bytes',
      );
    }
    const hub = this.#hubs.open(visitor.hub, 'client');
    return hub === undefined ? BUSY : { visitor, hub, introduction, transport };
  }

  session({ visitor, hub, introduction, transport }: Received, claimed: Claimed): ClientSession {
    const { userId, handshakeTimeoutSeconds, sticky, serverName } = visitor.claims;
    const identity = {
      ...claimed,
      userId,
      hub,
      transport,
      introduction,
      affinity: sticky === 'Disabled' ? ANYWHERE : { sticky, serverName },
      handshakeMs: handshakeTimeoutSeconds * 1000,
      expiresAt: signInEnd(visitor.claims),
    };
    return new ClientSession(identity, this.#context);
  }
}

/** Most clients do not stick: they share one object. */
const ANYWHERE = { sticky: 'Disabled', serverName: undefined } as const;
