import { AckStatus } from '@trunkline/protocol';

import { Asking } from '../../services/edge/src/cluster/asking.ts';
import { HostedGuests } from '../../services/edge/src/cluster/hosted-guests.ts';
import { HubSubjects } from '../../services/edge/src/cluster/hub-subjects.ts';
import { Neighbours } from '../../services/edge/src/cluster/neighbours.ts';
import { Relay } from '../../services/edge/src/cluster/relay.ts';
import { RuleLearning } from '../../services/edge/src/cluster/rule-learning.ts';
import type { Answer, Asker } from '../../services/edge/src/model/asker.ts';
import { NOT_FOUND } from '../../services/edge/src/model/asker.ts';
import { Hub } from '../../services/edge/src/model/hub.ts';
import { ClientAdmission } from '../../services/edge/src/sessions/client/admission.ts';
import { Questions } from '../../services/edge/src/model/questions.ts';

/** A bug that the checkers have to find. */
export interface Bug {
  readonly name: string;
  /** Puts it into the code of the edge; the answer takes it out. */
  plant(): () => void;
}

/** Replaces some methods of a class. */
function replace<T extends object>(prototype: T, methods: Partial<T>): () => void {
  const before = Object.getOwnPropertyDescriptors(prototype);
  Object.assign(prototype, methods);
  return () => Object.defineProperties(prototype, before);
}

/** One answer in ten does not come to who waits for it. */
function loseAnswers(): () => void {
  const { answered } = Asking.prototype;
  let count = 0;
  return replace(Asking.prototype, {
    answered(this: Asking, question, edgeId, answer) {
      if (++count % 10 !== 0) answered.call(this, question, edgeId, answer);
    },
  });
}

interface Counting {
  readonly asker: Asker;
  awaited: number;
  isSettled: boolean;
}

/** A question waits for as many answers as edges were asked, and not for those edges. */
function countAnswers(): () => void {
  const { ask } = Questions.prototype;
  const open = new WeakMap<Questions, Map<number, Counting>>();
  const of = (questions: Questions): Map<number, Counting> => {
    const found = open.get(questions) ?? new Map<number, Counting>();
    open.set(questions, found);
    return found;
  };
  const settle = (question: Counting, answer: Answer): void => {
    if (!question.isSettled) question.asker.settle(answer);
    question.isSettled = true;
  };
  const without = (question: Counting): void => {
    if (--question.awaited === 0) settle(question, NOT_FOUND);
  };
  return replace(Questions.prototype, {
    ask(this: Questions, ...args: Parameters<typeof ask>) {
      const [edges, needs, asker, ...rest] = args;
      const awaited = [...edges].length;
      if (needs !== 'anyFound' || awaited === 0) return ask.apply(this, args);
      const question = { asker, awaited, isSettled: false };
      const waiting = { settle: (end: Answer) => settle(question, end) };
      const number = ask.call(this, edges, needs, waiting, ...rest);
      of(this).set(number, question);
      return number;
    },
    answered: answeredWith(Questions.prototype.answered, (questions, number, answer) => {
      const question = of(questions).get(number);
      if (question === undefined) return false;
      if (answer.status === AckStatus.NotFound) without(question);
      else settle(question, answer);
      return true;
    }),
    edgeLost: lostWith(Questions.prototype.edgeLost, (questions) => {
      for (const question of of(questions).values()) without(question);
    }),
  });
}

type Answered = Questions['answered'];
type EdgeLost = Questions['edgeLost'];

function answeredWith(
  answered: Answered,
  take: (questions: Questions, number: number, answer: Answer) => boolean,
): Answered {
  return function (this: Questions, number, edgeId, answer) {
    if (!take(this, number, answer)) answered.call(this, number, edgeId, answer);
  };
}

function lostWith(edgeLost: EdgeLost, first: (questions: Questions) => void): EdgeLost {
  return function (this: Questions, edgeId) {
    first(this);
    edgeLost.call(this, edgeId);
  };
}

/** The home of an id gives it to whoever asks for it, as often as it is asked. */
function grantTwice(): () => void {
  const { giveUp } = ClientAdmission.prototype;
  const granted = new Set<string>();
  return replace(ClientAdmission.prototype, {
    giveUp(this: ClientAdmission, id, grant) {
      const verdict = giveUp.call(this, id, grant);
      if (typeof verdict !== 'string') granted.add(id);
      return granted.has(id) ? { early: undefined } : verdict;
    },
  });
}

/** One relayed answer in ten comes without its last part. */
function loseLastParts(): () => void {
  const { head } = Relay.prototype;
  let count = 0;
  return replace(Relay.prototype, {
    head(this: Relay, frame) {
      const isLost = frame.bytes.length > 0 && ++count % 10 === 0;
      head.call(this, isLost ? { ...frame, bytes: frame.bytes.subarray(0, 0) } : frame);
    },
  });
}

export const BUGS: readonly Bug[] = [
  { name: 'a lost answer', plant: loseAnswers },
  {
    name: 'a join acked early',
    plant: () => replace(HubSubjects.prototype, { whenHeard: (run) => run() }),
  },
  {
    name: 'a rule not handed on',
    plant: () => replace(Hub.prototype, { rulesAfter: () => ({ rules: [], next: undefined }) }),
  },
  {
    name: 'a gap ignored',
    plant: () => {
      const learning = replace(RuleLearning.prototype, { learnAll: () => {} });
      const asking = replace(Asking.prototype, { gap: () => {} });
      return () => {
        learning();
        asking();
      };
    },
  },
  { name: 'a question that counts answers instead of naming edges', plant: countAnswers },
  { name: 'a claim granted twice', plant: grantTwice },
  { name: 'a relay that loses its last part', plant: loseLastParts },
  {
    name: 'a move to an edge that drains',
    plant: () => {
      const { statusOf } = Neighbours.prototype;
      return replace(Neighbours.prototype, {
        statusOf(this: Neighbours, edgeId) {
          return { ...statusOf.call(this, edgeId), isDraining: false };
        },
      });
    },
  },
  {
    name: 'a guest that outlives its owner',
    plant: () => replace(HostedGuests.prototype, { edgeLost: () => {} }),
  },
];
