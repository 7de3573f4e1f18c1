import type { MessageFromServer } from '@trunkline/protocol';
import { AckStatus, decodeServiceMessage, readBroadcast } from '@trunkline/protocol';
import type { Answer, Asker } from '../model/asker.ts';
import { answerOf, NOT_FOUND } from '../model/asker.ts';
import type { CoreContext } from '../sessions/core-context.ts';
import { handleDistantMessage } from '../sessions/distant-messages.ts';
import type { HubDirectory } from '../sessions/hub-directory.ts';
import type { HubRuntime } from '../sessions/hub-runtime.ts';
import type { ClusterFrame, HeardCommand } from './cluster-frames.ts';
import { isHubSubject } from './hub-subjects.ts';
import type { RuleLearning } from './rule-learning.ts';
import { encodeRulesPage } from './rules-page.ts';

interface Ways {
  readonly rules: RuleLearning;
  readonly say: (frame: ClusterFrame, edgeId: string) => void;
}

/** Does what another edge has this one do, and tells it what it asks. */
export class Answering {
  readonly #context: CoreContext;
  readonly #hubs: HubDirectory;
  readonly #ways: Ways;

  constructor(context: CoreContext, hubs: HubDirectory, ways: Ways) {
    this.#context = context;
    this.#hubs = hubs;
    this.#ways = ways;
  }

  /** Throws ProtocolError for a command that is no service message. */
  carryOut(
    { question, hub, bytes, start, end }: HeardCommand,
    from: string,
    subject: string,
  ): void {
    const asker = question === 0 ? undefined : this.#askerFor(question, from);
    const runtime = this.#hubs.get(hub);
    const message = readCommand(bytes, start, end);
    if (runtime === undefined || message === undefined) return asker?.settle(NOT_FOUND);
    if (isHubSubject(subject)) this.#locate(namedBy(message), runtime, from);
    handleDistantMessage(message, runtime, { edgeId: from, asker }, this.#context);
  }

  /** A page of the rules of a hub's users. */
  tellRules({ question, hub, after }: ClusterFrame & { kind: 'rules' }, edgeId: string): void {
    const runtime = this.#hubs.get(hub);
    if (runtime === undefined) return this.#answer(question, NOT_FOUND, edgeId);
    const page = runtime.model.rulesAfter(after, this.#context.time.now());
    const told = encodeRulesPage({ ...page, isWhole: this.#ways.rules.knows(runtime) });
    this.#answer(question, answerOf(AckStatus.Ok, '', told), edgeId);
  }

  #askerFor(question: number, edgeId: string): Asker {
    return { settle: (answer) => this.#answer(question, answer, edgeId) };
  }

  /** Who says something of connections to all that have the hub does not know that they are here. */
  #locate(named: readonly string[], hub: HubRuntime, edgeId: string): void {
    if (named.length === 0) return;
    const { clients } = this.#context;
    const ids = named.filter((id) => clients.get(id)?.hub === hub);
    if (ids.length > 0) this.#ways.say({ kind: 'located', ids }, edgeId);
  }

  #answer(question: number, answer: Answer, edgeId: string): void {
    this.#ways.say({ kind: 'answer', question, answer }, edgeId);
  }
}

/** Undefined for a message of a kind that is not known. Throws ProtocolError for what is no message. */
function readCommand(bytes: Uint8Array, start: number, end: number): MessageFromServer | undefined {
  const message = readBroadcast(bytes, start, end) ?? decodeServiceMessage(bytes, start, end);
  return message as MessageFromServer | undefined;
}

const NONE: readonly string[] = [];

/** The connections that a message is for. */
function namedBy(message: MessageFromServer): readonly string[] {
  if ('connectionIds' in message) return message.connectionIds;
  return 'connectionId' in message ? [message.connectionId] : NONE;
}
