import { expect } from 'vitest';

import { failureOf, notOpened } from '../client.ts';
import { edgeToken } from '../identity.ts';
import { NEEDS, type Scenario, WITHOUT_CONTROL } from '../scenario.ts';

/** Long enough to connect with on a busy machine. */
const LIFETIME_SECONDS = 4;

/** Tokens open connections; sign-ins end them (client protocols reference, section 7.2). */
export const expiry: readonly Scenario[] = [
  {
    name: 'turns away a token that has expired',
    withoutControl: WITHOUT_CONTROL.tokens,
    async run(context) {
      const client = context.client({ tokenLifetimeSeconds: 0 });
      const failure = await failureOf(client.connection.start());
      const { kind } = context;
      expect(failure).toMatch(kind.way.negotiates ? /Unauthorized/ : notOpened(kind));
      expect(client.state).toBe('Disconnected');
    },
  },
  {
    name: 'goes on serving a client that is older than its token',
    withoutControl: WITHOUT_CONTROL.tokens,
    async run(context) {
      const token = { tokenLifetimeSeconds: LIFETIME_SECONDS };
      const client = await context.connect(token);
      const id = await client.id();
      const younger = edgeToken(`${context.app.prefix}main`, token);
      await context.eventually(async () => {
        expect((await context.negotiateAtEdge(younger)).status).toBe(401);
      });
      expect(await client.invoke('echo', 'still here')).toBe('still here');
      await client.invoke('relay', ['client', id], ['still heard']);
      expect(await client.numbers(1)).toEqual(['still heard']);
      expect(await client.stream('countdown', 3)).toEqual([3, 2, 1]);
      expect(client.events.all).toEqual([]);
    },
  },
  {
    name: 'closes a client whose sign-in ends, without an error',
    async run(context) {
      const since = Date.now();
      const client = await context.connect({ signInSeconds: LIFETIME_SECONDS });
      expect(await client.event('closed')).toEqual({ type: 'closed', error: undefined });
      // Tokens know whole seconds.
      expect(Date.now() - since).toBeGreaterThanOrEqual((LIFETIME_SECONDS - 1) * 1000);
    },
  },
  {
    name: 'lets a client sign in again whose sign-in has ended',
    needs: [NEEDS.reconnect],
    async run(context) {
      const identity = { userId: 'ann', signInSeconds: LIFETIME_SECONDS };
      const client = await context.connect({ ...identity, reconnects: true });
      const before = await client.id();
      expect(await client.event('reconnecting')).toMatchObject({ error: undefined });
      await client.event('reconnected');
      expect(await client.id()).not.toBe(before);
      expect(await client.invoke('about')).toMatchObject({ userIdentifier: 'ann' });
    },
  },
];
