import { AckStatus } from '@trunkline/protocol';

/** What comes of a command: the contents of an ack (service protocol reference, section 10). */
export interface Answer {
  readonly status: number;
  readonly message: string;
  readonly payload: Uint8Array | undefined;
}

/** Who waits for what comes of a command: an app server, or another edge for one of its own. */
export interface Asker {
  /** Called once. `answer.payload` is lent for the call; `from`: the other edge whose answer it is. */
  settle(answer: Answer, from?: string): void;
}

export const DONE: Answer = answerOf(AckStatus.Ok);
export const NOT_FOUND: Answer = answerOf(AckStatus.NotFound);
/** Somebody who may know has not answered. */
export const TIMED_OUT: Answer = answerOf(
  AckStatus.Timeout,
  'Another edge did not answer in time.',
);

export function answerOf(status: number, message = '', payload?: Uint8Array): Answer {
  return { status, message, payload };
}

/** What is asked is longer than a bus takes, and can be asked of this edge alone. */
export const TOO_LONG: Answer = answerOf(
  AckStatus.InternalServerError,
  'The message is too long to be said to other edges.',
);

/** Nothing has been asked, and may be asked again. */
export const TOO_MANY: Answer = answerOf(
  AckStatus.InternalServerError,
  'Too many questions to other edges wait for an answer.',
);
