import type { Claims, Timestamp } from '@trunkline/protocol';
import { AckStatus, decodeClaims, MessageType, NEVER } from '@trunkline/protocol';

import { DotnetException } from '../exception.ts';
import type { HubServer } from '../hub-server.ts';
import type { Answer } from './acks.ts';

/** What comes of a question about a sign-in: the claims of the service token, or why there are none. */
export type SignIn = Claims | 'not found' | 'forbidden';

/**
 * What `POST <hub>/refresh` of the package says to the service (service protocol reference, section
 * 18.6). Releases before it have no such thing.
 */
export class AuthRefresh {
  readonly #hub: HubServer;

  constructor(hub: HubServer) {
    this.#hub = hub;
  }

  /** New claims, or none to keep those there are, and a new end of the sign-in, or none to keep it. */
  refresh(connectionToken: string, claims: Claims, expireTime: Timestamp = NEVER): Promise<SignIn> {
    return this.#ask((ackId) => {
      const type = MessageType.RefreshAuth;
      this.#write({ type, connectionToken, claims, expireTime, ackId });
    });
  }

  claimsOf(connectionToken: string): Promise<SignIn> {
    return this.#ask((ackId) => {
      this.#write({ type: MessageType.GetConnectionClaims, connectionToken, ackId });
    });
  }

  #write(message: Parameters<ReturnType<HubServer['connectionFor']>['write']>[0]): void {
    this.#hub.connectionFor(undefined).write(message);
  }

  async #ask(send: (ackId: number) => void): Promise<SignIn> {
    if (!this.#hub.environment.profile.refreshesAuth) {
      throw new DotnetException('NotSupportedException', 'Not supported.');
    }
    return signIn(await this.#hub.acks.ask(send));
  }
}

function signIn({ status, payload }: Answer): SignIn {
  if (status === AckStatus.Ok) return decodeClaims(payload);
  if (status === AckStatus.NotFound) return 'not found';
  if (status === AckStatus.Forbidden) return 'forbidden';
  throw new DotnetException('AzureSignalRException', `gets error ack status ${status}.`);
}
