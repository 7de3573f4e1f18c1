import { Mailbox } from '@trunkline/testing';
import { expect } from 'vitest';

import type { Scenario } from '../context.ts';
import { VARIANTS } from '../variants.ts';

const TIMEOUT_MS = 5_000;

/** The hub asks a client (client protocols reference, section 6.7). */
export const clientResults: readonly Scenario[] = [
  {
    name: 'asks clients of every kind, and answers with their answer',
    async run(context) {
      const asker = await context.connect();
      for (const variant of VARIANTS) {
        const confirm = (question: string): unknown => ({ question, yes: [true, null] });
        const asked = await context.connect({ variant, handlers: { confirm } });
        const answer = await asker.invoke('ask', await asked.id(), 'sure? 🙂', TIMEOUT_MS);
        expect(answer).toEqual({ question: 'sure? 🙂', yes: [true, null] });
      }
    },
  },
  {
    name: 'asks the caller itself',
    async run(context) {
      const client = await context.connect({ handlers: { confirm: async () => 'later' } });
      expect(await client.invoke('ask', await client.id(), '?', TIMEOUT_MS)).toBe('later');
    },
  },
  {
    name: "passes on the client's error",
    async run(context) {
      const confirm = (): never => {
        throw new Error('do not ask me');
      };
      const client = await context.connect({ handlers: { confirm } });
      expect(await client.failure('ask', await client.id(), '?', TIMEOUT_MS)).toContain(
        'HubException: Error: do not ask me',
      );
    },
  },
  {
    name: 'says that a client had no answer',
    async run(context) {
      const client = await context.connect();
      expect(await client.failure('ask', await client.id(), '?', TIMEOUT_MS)).toContain(
        "HubException: Client didn't provide a result.",
      );
    },
  },
  {
    name: 'waits no longer than told',
    async run(context) {
      const confirm = (): Promise<never> => new Promise(() => {});
      const client = await context.connect({ handlers: { confirm } });
      expect(await client.failure('ask', await client.id(), '?', 100)).toContain(
        'HubException: Invocation canceled by the server.',
      );
    },
  },
  {
    name: 'stops waiting when the client goes, or is not there at all',
    async run(context) {
      const asker = await context.connect({ hub: 'detailed' });
      const questions = new Mailbox<string>();
      const confirm = (question: string): Promise<never> => {
        questions.add(question);
        return new Promise(() => {});
      };
      const asked = await context.connect({ hub: 'detailed', handlers: { confirm } });
      const id = await asked.id();
      const failure = asker.failure('ask', id, '?', TIMEOUT_MS);
      await questions.first(() => true, 'the question');
      await asked.connection.stop();
      expect(await failure).toMatch(new RegExp(`Connection '${id}' (is )?disconnected\\.`));
      expect(await asker.failure('ask', id, '?', TIMEOUT_MS)).toContain(
        `Connection '${id}' does not exist.`,
      );
    },
  },
];
