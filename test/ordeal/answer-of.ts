import { once } from 'node:events';

import { deadline, type StartedProcess } from '@trunkline/testing';

const ANSWER_MS = 60_000;

/**
 * What a process of the ordeal answers to a roll that it is told over IPC. Rejects with `complaint` when
 * it takes over a minute, and with the end of its output when it has ended.
 */
export async function answerOf<Answer>(
  { child, exited, output }: StartedProcess<true>,
  roll: number,
  complaint: string,
): Promise<Answer> {
  const answered = once(child, 'message') as Promise<[Answer]>;
  const ended = exited.then(({ code, signal }): never => {
    throw new Error(`a process ended with ${code ?? signal}:\n${output().slice(-2_000)}`);
  });
  const answer = Promise.race([answered, ended]);
  if (child.connected) child.send(roll);
  return (await deadline(answer, ANSWER_MS, complaint))[0];
}
