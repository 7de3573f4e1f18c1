import type { HubHandle } from '@trunkline/sdk';

import type { Listener } from './listener.ts';
import type { DutyClient } from './speech.ts';

/** Between two rounds of questions. */
const PACE_MS = 400;

/** Whether a connection or a user is there, that a connection joins a group, whether a group has anybody. */
export type QuestionKind = 'connection' | 'user' | 'join' | 'nobody';

/** Another edge, as it is asked about. */
export interface AskedAbout {
  readonly name: string;
  /** Of the first of the clients. */
  readonly user: string;
  readonly listeners: readonly Listener[];
}

/** A question of an app server that another edge has to answer, and what came of it. */
export interface Question {
  readonly kind: QuestionKind;
  /** The edge that has what is asked for; undefined: none has, and all edges have to say so. */
  readonly about: string | undefined;
  readonly askedAt: number;
  /** Milliseconds to the answer; undefined while there is none. */
  ms: number | undefined;
  /** A failure by its text. */
  answer: unknown;
}

/** What an app server asks all the time of what is at other edges, whether it has been answered or not. */
export class Inquiry {
  readonly questions: Question[] = [];
  readonly #desk: HubHandle<DutyClient>;
  readonly #others: readonly AskedAbout[];
  readonly #open = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(desk: HubHandle<DutyClient>, others: readonly AskedAbout[]) {
    this.#desk = desk;
    this.#others = others;
  }

  start(): void {
    this.#timer = setInterval(() => this.#askAll(), PACE_MS);
  }

  /** Resolves when all that was asked is answered. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
  }

  #askAll(): void {
    const desk = this.#desk;
    for (const { name, user, listeners } of this.#others) {
      const [{ id }] = listeners as [Listener];
      this.#ask('connection', name, desk.connectionExists(id));
      this.#ask('user', name, desk.userExists(user));
      this.#ask('join', name, desk.groups.add(id, 'asked for'));
    }
    this.#ask('nobody', undefined, desk.groupExists('nobody is in it'));
  }

  #ask(kind: QuestionKind, about: string | undefined, answer: Promise<unknown>): void {
    const askedAt = performance.now();
    const question: Question = { kind, about, askedAt, ms: undefined, answer: undefined };
    this.questions.push(question);
    const asked = answer.catch(String).then((said) => {
      question.ms = performance.now() - askedAt;
      question.answer = said;
      this.#open.delete(asked);
    });
    this.#open.add(asked);
  }
}
