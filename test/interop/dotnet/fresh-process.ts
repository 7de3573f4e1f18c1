import { deadline } from '@trunkline/testing';
import { expect, it } from 'vitest';

import type { Client } from '../../conformance/client.ts';
import { startHubApp } from './hub-app.ts';
import type { RestoredPart } from './part.ts';
import { connect } from './typed-client.ts';

const QUESTIONS = 20;
const ANSWER_MS = 5_000;

type Ask = (clients: readonly Client[]) => Promise<string[]>;

/** One question of a hub after the other, or all of them at once, each to a client of its own. */
const WAYS: readonly (readonly [string, number, Ask])[] = [
  [
    'one after the other',
    1,
    async ([client]) => {
      const answers: string[] = [];
      for (let n = 0; n < QUESTIONS; n++) answers.push(await ask(client!, n));
      return answers;
    },
  ],
  ['at once', QUESTIONS, (clients) => Promise.all(clients.map(ask))],
];

function ask(client: Client, n: number): Promise<string> {
  const answer = client.connection.invoke<string>('askCaller', String(n));
  return deadline(answer, ANSWER_MS, `question ${n} was not answered`);
}

/** The package loses answers that come before it has noted its question, which takes long at first. */
export function defineFreshProcessTests(part: RestoredPart, edgeUrl: () => string): void {
  it.for(WAYS)('the first questions of a process are answered, %s', async ([, count, askAll]) => {
    await using app = await startHubApp(part, { edgeUrl: edgeUrl(), prefix: `fresh_${count}_` });
    const connecting = Array.from({ length: count }, () => connect(app, 'typed', {}, 'json'));
    const clients = await Promise.all(connecting);
    const questions = Array.from({ length: QUESTIONS }, (_, n) => `yes: ${n}`);
    expect(await askAll(clients)).toEqual(questions);
    await Promise.all(clients.map(({ connection }) => connection.stop()));
  });
}
