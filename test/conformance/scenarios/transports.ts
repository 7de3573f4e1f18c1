import type { TransportName } from '@trunkline/sdk';
import { expect } from 'vitest';

import { failureOf, notOpened } from '../client.ts';
import { PATIENT } from '../context.ts';
import type { About } from '../contract.ts';
import { NEEDS, type Scenario, WITHOUT_CONTROL } from '../scenario.ts';

const ALL: readonly TransportName[] = ['WebSockets', 'ServerSentEvents', 'LongPolling'];

/** What negotiate names, and where it leads (client protocols reference, sections 1.3, 1.4, 1.6). */
export const transports: readonly Scenario[] = [
  {
    name: 'names the transports that the app allows, and serves a client that prefers others',
    needs: [NEEDS.negotiate],
    withoutControl: WITHOUT_CONTROL.negotiate,
    async run(context) {
      const { transport } = context.kind.way;
      const { accessToken } = await context.negotiateAtApp({ transports: [transport] });
      const answer = await (await context.negotiateAtEdge(accessToken)).json();
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
          ? /^Unable to (connect to the server with|initialize) any of the available transports|^None of the transports supported/
          : notOpened(context.kind),
      );
    },
  },
  {
    name: 'serves a client that falls back because its WebSockets do not open',
    several: true,
    needs: [NEEDS.fallback],
    async run(context) {
      const allows = ['WebSockets', context.kind.way.transport] as const;
      const withoutWebSockets = true;
      const stubborn = context.client({ allows: ['WebSockets'], withoutWebSockets });
      expect(await failureOf(stubborn.connection.start())).toMatch(/WebSocket|transport/);
      const client = await context.connect({ allows, withoutWebSockets });
      expect(await client.invoke('echo', 'here')).toBe('here');
      const id = await client.id();
      if (NEEDS.ownId.met(context.kind)) expect(client.connection.connectionId).toBe(id);
    },
  },
  {
    name: 'waits for a polling client as long as the app says, and else for 5 s',
    several: true,
    needs: [NEEDS.longPolling],
    withoutControl: WITHOUT_CONTROL.negotiate,
    async run(context) {
      const { network, via } = await context.network();
      const apps = await context.startApps((at) =>
        at === context.farApp ? { clientUrl: via } : {},
      );
      const witness = await context.connect({ apps, via: context.app.clientUrl, ...PATIENT });
      const tag = context.unique('tag');
      const far = { apps: apps.slice(-1) };
      const usual = await context.connect({ ...far, query: { tag } });
      const patient = await context.connect({ ...far, ...PATIENT });
      const to = ['clients', [await usual.id(), await patient.id()]];
      let sent = 0;
      await context.eventually(async () => {
        // The answers to their polls do not arrive, so there are no further ones.
        for (const link of network.links) link.stallDown();
        await witness.invoke('relay', to, [sent++]);
        expect(await witness.invoke('journal', tag)).toHaveLength(3);
      });
      for (const link of network.links) link.resume();
      await usual.event('closed');
      expect(await patient.numbers(sent)).toEqual(Array.from({ length: sent }, (_, n) => n));
      expect(await patient.invoke('echo', 'still here')).toBe('still here');
      expect(patient.events.all).toEqual([]);
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
