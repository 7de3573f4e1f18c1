import type { TransportName } from '@trunkline/sdk';
import { expect } from 'vitest';

import { failureOf } from '../client.ts';
import type { About } from '../contract.ts';
import { edgeToken } from '../identity.ts';
import { NEEDS, type Scenario, WITHOUT_CONTROL } from '../scenario.ts';

const ALL: readonly TransportName[] = ['WebSockets', 'ServerSentEvents', 'LongPolling'];

/** What negotiate names, and where it leads (client protocols reference, sections 1.3, 1.4, 1.6). */
export const transports: readonly Scenario[] = [
  {
    name: 'names the transports that the app allows, and serves a client that prefers others',
    needs: [NEEDS.negotiate],
    withoutControl: WITHOUT_CONTROL.tokens,
    async run(context) {
      const { transport } = context.kind.way;
      const token = edgeToken(`${context.app.prefix}main`, { transports: [transport] });
      const answer = await (await context.negotiateAtEdge(token)).json();
      expect(answer).toMatchObject({ availableTransports: [{ transport }] });
      const client = await context.connect({ transports: [transport], allows: ALL });
      expect(await client.invoke('echo', 'here')).toBe('here');
    },
  },
  {
    name: 'refuses a transport that the app does not allow',
    withoutControl: WITHOUT_CONTROL.tokens,
    async run(context) {
      const { transport, negotiates } = context.kind.way;
      const transports = ALL.filter((other) => other !== transport);
      const client = context.client({ transports });
      expect(await failureOf(client.connection.start())).toMatch(
        negotiates
          ? /^Unable to connect to the server with any of the available transports|^None of the transports supported/
          : /WebSocket|transport/,
      );
    },
  },
  {
    name: 'serves a client that falls back because its WebSockets do not open',
    needs: [NEEDS.fallback],
    async run(context) {
      const allows = ['WebSockets', context.kind.way.transport] as const;
      const withoutWebSockets = true;
      const stubborn = context.client({ allows: ['WebSockets'], withoutWebSockets });
      expect(await failureOf(stubborn.connection.start())).toMatch(/WebSocket|transport/);
      const client = await context.connect({ allows, withoutWebSockets });
      expect(await client.invoke('echo', 'here')).toBe('here');
      expect(client.connection.connectionId).toBe(await client.id());
    },
  },
  {
    name: 'serves a client that was redirected several times before',
    needs: [NEEDS.negotiate],
    withoutControl: WITHOUT_CONTROL.negotiate,
    async run(context) {
      const detours = ['first', 'second', 'third'].map(
        (via) => `${context.app.url}/main?via=${via}`,
      );
      const client = await context.connect({ userId: 'ann', detours });
      const about = await client.invoke<About>('about');
      expect(about.userIdentifier).toBe('ann');
      expect(about.query).toContainEqual(['via', 'third']);
    },
  },
];
