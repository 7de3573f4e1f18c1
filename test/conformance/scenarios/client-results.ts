import { Mailbox } from '@trunkline/testing';
import { expect } from 'vitest';

import { NEEDS, type Scenario, WITHOUT_CONTROL, WITHOUT_PACKAGE } from '../scenario.ts';

const TIMEOUT_MS = 5_000;

/** The hub asks a client (client protocols reference, section 6.7). */
export const clientResults: readonly Scenario[] = [
  {
    name: 'asks clients of every kind, and answers with their answer',
    several: true,
    withoutPackage: WITHOUT_PACKAGE.clientResults,
    async run(context) {
      const asker = await context.connect();
      for (const kind of context.company.filter(NEEDS.clientResults.met)) {
        const confirm = (question: string): unknown => ({ question, yes: [true, null] });
        const asked = await context.connect({ kind, handlers: { confirm } });
        const answer = await asker.invoke('ask', await asked.id(), 'sure? 🙂', TIMEOUT_MS);
        expect(answer).toEqual({ question: 'sure? 🙂', yes: [true, null] });
      }
    },
  },
  {
    name: 'asks the caller itself',
    needs: [NEEDS.clientResults],
    withoutPackage: WITHOUT_PACKAGE.ownCaller,
    async run(context) {
      const client = await context.connect({ handlers: { confirm: async () => 'later' } });
      expect(await client.invoke('ask', await client.id(), '?', TIMEOUT_MS)).toBe('later');
    },
  },
  {
    name: "passes on the client's error",
    needs: [NEEDS.clientResults],
    withoutPackage: WITHOUT_PACKAGE.ownCaller,
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
    needs: [NEEDS.clientResults],
    withoutPackage: WITHOUT_PACKAGE.ownCaller,
    async run(context) {
      const client = await context.connect();
      expect(await client.failure('ask', await client.id(), '?', TIMEOUT_MS)).toContain(
        "HubException: Client didn't provide a result.",
      );
    },
  },
  {
    name: 'waits no longer than told',
    needs: [NEEDS.clientResults],
    withoutPackage: WITHOUT_PACKAGE.ownCaller,
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
    several: true,
    needs: [NEEDS.clientResults],
    withoutPackage: WITHOUT_PACKAGE.ownCaller,
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
      expect(await failure).toMatch(gone(id));
      expect(await asker.failure('ask', id, '?', TIMEOUT_MS)).toContain(
        `Connection '${id}' does not exist.`,
      );
    },
  },
  {
    name: 'stops waiting for a client that is too old to answer, and closes itself',
    several: true,
    needs: [NEEDS.noClientResults, NEEDS.anonymity],
    withoutPackage: WITHOUT_PACKAGE.ownCaller,
    async run(context) {
      const asker = await context.connect({ hub: 'detailed' });
      const asked = await context.connect({ hub: 'detailed', handlers: { confirm: () => true } });
      const id = await asked.id();
      expect(await asker.failure('ask', id, '?', TIMEOUT_MS)).toMatch(gone(id));
      expect(await asked.event('closed')).toMatchObject({
        error: expect.stringContaining('not supported in this version of the client') as string,
      });
    },
  },
  {
    name: 'says at once that a client is too old to answer, and leaves it alone',
    several: true,
    needs: [NEEDS.noClientResults, NEEDS.userAgent],
    withoutControl: WITHOUT_CONTROL.oldClients,
    withoutPackage: WITHOUT_PACKAGE.clientResults,
    async run(context) {
      const asker = await context.connect({ hub: 'detailed' });
      const asked = await context.connect({ hub: 'detailed', handlers: { confirm: () => true } });
      const id = await asked.id();
      expect(await asker.failure('ask', id, '?', TIMEOUT_MS)).toContain(
        `Connection '${id}' cannot answer: it is Microsoft SignalR/6.0, and client results need 7.0.`,
      );
      expect(await asked.id()).toBe(id);
    },
  },
];

/** The .NET package has a word more in it. */
function gone(id: string): RegExp {
  return new RegExp(`Connection '${id}' (is )?disconnected\\.`);
}
