import type { ClientCompletion, ErrorCompletion } from '@trunkline/protocol';
import { AckStatus, encodeServiceBody } from '@trunkline/protocol';
import type { Asker } from '../../model/asker.ts';
import { answerOf, DONE } from '../../model/asker.ts';
import type { PooledHost, Software } from '../host.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import type { ServerSession } from './server-session.ts';

/** What a client, or the edge in its place, answers to an app server that has asked it. */
export type Completion = ClientCompletion | ErrorCompletion;

/** Why a client gives no answer, as callers at any edge are told. */
export const NO_ANSWER = {
  unknown: (id: string) => `Connection '${id}' does not exist.`,
  gone: (id: string) => `Connection '${id}' disconnected.`,
  unserved: (id: string) => `Connection '${id}' waits for an app server.`,
  ofOldServer: (id: string) => `Connection '${id}' has an app server too old to ask.`,
  noPayload: (id: string) =>
    `The message has no payload in the hub protocol of connection '${id}'.`,
  late: (id: string) => `Connection '${id}' did not answer in time.`,
  tooMany: (id: string) => `Too many results of connection '${id}' are awaited.`,
  tooManyInAll: 'Too many client results are awaited.',
} as const;

/** Who has asked a client for a result. */
export interface Caller {
  /** Of the app server, or of what stands in its place. */
  readonly serverId: string;
  readonly hub: HubRuntime;
  /** The edge that the app server is at; undefined for this one. */
  readonly edgeId: string | undefined;
  readonly software: Pick<Software, 'losesEarlyAnswers'>;
  /** Called once, with what the client has answered. */
  complete(completion: Completion): void;
  /** Called in its place where the app server needs no answer any more. */
  done(): void;
}

/** An app server of this edge. */
export class ServerCaller implements Caller {
  readonly edgeId = undefined;
  readonly server: ServerSession;

  constructor(server: ServerSession) {
    this.server = server;
  }

  get serverId(): string {
    return this.server.serverId;
  }

  get hub(): HubRuntime {
    return this.server.hub;
  }

  get software(): Software {
    return this.server.software;
  }

  complete(completion: Completion): void {
    connectionOf(this.server)?.write(completion);
  }

  done(): void {}
}

/** The connection that asked, or another one of the same app server if it is gone by now. */
export function connectionOf(server: ServerSession): PooledHost | undefined {
  if (server.isOpen) return server;
  return [...server.hub.servers].find(({ serverId }) => serverId === server.serverId);
}

/** An app server of another edge, which has waited for its process where that was needed. */
export class DistantCaller implements Caller {
  readonly serverId: string;
  readonly hub: HubRuntime;
  readonly edgeId: string;
  readonly software = { losesEarlyAnswers: false };
  readonly #asker: Asker;

  constructor(serverId: string, hub: HubRuntime, edgeId: string, asker: Asker) {
    this.serverId = serverId;
    this.hub = hub;
    this.edgeId = edgeId;
    this.#asker = asker;
  }

  complete(completion: Completion): void {
    this.#asker.settle(answerOf(AckStatus.Ok, '', encodeServiceBody(completion)));
  }

  done(): void {
    this.#asker.settle(DONE);
  }
}
