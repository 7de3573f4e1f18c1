import { expect } from 'vitest';

import { type Scenario, WITHOUT_CONTROL, WITHOUT_PACKAGE } from '../scenario.ts';

const CROWD = 20;

export const groups: readonly Scenario[] = [
  {
    name: 'has joined and left a group once that is awaited in the hub',
    withoutPackage: WITHOUT_PACKAGE.groupOrder,
    async run(context) {
      const client = await context.connect();
      await client.invoke('visit', context.unique('group'));
      expect(client.messages.all).toEqual([[2]]);
    },
  },
  {
    name: 'has joined and left a group once that is awaited outside a hub',
    several: true,
    async run(context) {
      const group = context.unique('group');
      const [client, witness] = [await context.connect(), await context.connect()];
      const connectionId = await client.id();
      await witness.invoke('join', group);
      // Sends resolve before the edge has them, and need not take the way of joins: the witness
      // hears of each before the next step.
      const { farApp } = context;
      const send = async (value: number): Promise<void> => {
        await farApp.control({ do: 'send', hub: 'main', to: ['group', group], args: [value] });
        await witness.numbers(value);
      };
      await send(1);
      await farApp.control({ do: 'add', hub: 'main', connectionId, group });
      await send(2);
      await farApp.control({ do: 'remove', hub: 'main', connectionId, group });
      await send(3);
      await client.invoke('echo', 'whatever was sent before is here now');
      expect(client.messages.all).toEqual([[2]]);
    },
  },
  {
    name: 'joins and leaves twice as once, and groups by exact name',
    async run(context) {
      const group = context.unique('Group');
      const client = await context.connect();
      await client.invoke('join', group);
      await client.invoke('join', group);
      await client.invoke('relay', ['group', group], ['once']);
      await client.invoke('relay', ['group', group.toLowerCase()], ['another group']);
      await client.invoke('leave', group);
      await client.invoke('leave', group);
      await client.invoke('relay', ['group', group], ['too late']);
      expect(client.messages.all).toEqual([['once']]);
    },
  },
  {
    name: 'reaches a client once that is in several of the groups',
    withoutControl: WITHOUT_CONTROL.groups,
    async run(context) {
      const [one, two] = [context.unique('group'), context.unique('group')];
      const client = await context.connect();
      await client.invoke('join', one);
      await client.invoke('join', two);
      await client.invoke('relay', ['groups', [one, two]], ['once']);
      await client.invoke('echo', 'whatever was sent before is here now');
      expect(client.messages.all).toEqual([['once']]);
    },
  },
  {
    name: 'forgets memberships when the connection ends',
    several: true,
    async run(context) {
      const group = context.unique('group');
      const userId = context.unique('user');
      const [leaver, witness] = [await context.connect({ userId }), await context.connect()];
      await leaver.invoke('join', group);
      await witness.invoke('join', group);
      const before = await leaver.id();
      await leaver.connection.stop();
      await leaver.connection.start();
      expect(await leaver.id()).not.toBe(before);
      await witness.invoke('relay', ['group', group], ['who is there?']);
      await leaver.invoke('relay', ['user', userId], ['it still hears as a user']);
      expect(await witness.numbers(1)).toEqual(['who is there?']);
      await leaver.invoke('echo', 'whatever was sent before is here now');
      expect(leaver.messages.all).toEqual([['it still hears as a user']]);
    },
  },
  {
    name: `serves ${CROWD} clients that come at once, and reaches all of them`,
    several: true,
    async run(context) {
      const group = context.unique('group');
      const crowd = await Promise.all(Array.from({ length: CROWD }, () => context.connect()));
      await Promise.all(crowd.map((client) => client.invoke('join', group)));
      const answers = crowd.map((client, n) => client.invoke('echo', n));
      expect(await Promise.all(answers)).toEqual(crowd.map((_client, n) => n));
      await crowd[0]!.invoke('relay', ['group', group], ['all of you']);
      for (const client of crowd) expect(await client.numbers(1)).toEqual(['all of you']);
    },
  },
];
