import { once } from 'node:events';

import { deadline } from './deadline.ts';
import type { StartedProcess } from './process.ts';

/**
 * Tells a process something over IPC, and gives its next message. Rejects with `complaint` when that
 * takes longer than `timeout` milliseconds, and with the end of its output when it has ended. One question
 * at a time.
 */
export async function askProcess<Answer>(
  { child, exited, output }: StartedProcess<unknown>,
  question: object | number,
  timeout: number,
  complaint: string,
): Promise<Answer> {
  const answered = once(child, 'message') as Promise<[Answer]>;
  const ended = exited.then((): never => {
    throw new Error(`the process has ended:\n${output().slice(-OUTPUT_CHARACTERS)}`);
  });
  const answer = Promise.race([answered, ended]);
  // To one that has ended nothing can be said; why it has is the better complaint.
  if (child.connected) child.send(question);
  return (await deadline(answer, timeout, complaint))[0];
}

const OUTPUT_CHARACTERS = 2_000;
