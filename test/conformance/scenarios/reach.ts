import { expect } from 'vitest';

import type { Client } from '../client.ts';
import type { Destination } from '../contract.ts';
import type { Context } from '../context.ts';
import type { Scenario } from '../scenario.ts';

/** The only scenario on this hub, so that `all` has a meaning. */
const HUB = 'reach';

interface Person {
  readonly client: Client;
  readonly id: string;
}

/** Three users, each with a client of every kind in company; some of them in groups. */
interface Cast {
  readonly users: readonly [string, string, string];
  readonly ann: readonly Person[];
  readonly bob: readonly Person[];
  readonly eve: readonly Person[];
  readonly everybody: readonly Person[];
  /** Ann's, and Bob's first. */
  readonly red: string;
  /** Bob's, and Eve's last. */
  readonly blue: string;
  /** Eve's. */
  readonly green: string;
}

type Case = readonly [to: Destination, expected: readonly Person[]];

async function gather(context: Context): Promise<Cast> {
  const users = ['ann', 'bob 🙂', 'eve'] as const;
  const appear = async (userId: string): Promise<Person[]> => {
    const clients = await context.connectAll({ hub: HUB, userId });
    return Promise.all(clients.map(async (client) => ({ client, id: await client.id() })));
  };
  const [ann, bob, eve] = [await appear(users[0]), await appear(users[1]), await appear(users[2])];
  const [red, blue, green] = ['the red group', 'the blue group', 'the green group'];
  for (const { client } of [...ann, bob[0]!]) await client.invoke('join', red);
  for (const { client } of [...bob, eve.at(-1)!]) await client.invoke('join', blue);
  for (const { client } of eve) await client.invoke('join', green);
  return { users, ann, bob, eve, everybody: [...ann, ...bob, ...eve], red, blue, green };
}

/** What works inside a hub and outside. */
function cases({ users, ann, bob, eve, everybody, red, green }: Cast): Case[] {
  const inRed = [...ann, bob[0]!];
  const some = [ann[1]!, bob[2]!, eve[3]!];
  return [
    [['all'], everybody],
    [
      ['allExcept', ids(ann)],
      [...bob, ...eve],
    ],
    [['client', bob[1]!.id], [bob[1]!]],
    [['client', bob[2]!.id], [bob[2]!]],
    [['client', 'nobody'], []],
    [['clients', ids(some)], some],
    [['clients', []], []],
    [['group', red], inRed],
    [['group', 'no such group'], []],
    [['groupExcept', red, ids([ann[3]!, bob[0]!])], ann.filter((_person, at) => at !== 3)],
    [
      ['groups', [red, green]],
      [...inRed, ...eve],
    ],
    [['groups', []], []],
    [['user', users[1]], bob],
    [['user', users[0].toUpperCase()], []],
    [
      ['users', [users[0], users[2]]],
      [...ann, ...eve],
    ],
  ];
}

/** What needs a caller, here Bob's first. */
function callerCases({ ann, bob, eve, everybody, red, blue }: Cast): Case[] {
  return [
    [['caller'], [bob[0]!]],
    [['others'], everybody.filter((person) => person !== bob[0])],
    [['othersInGroup', red], ann],
    [
      ['othersInGroup', blue],
      [...bob.slice(1), eve.at(-1)!],
    ],
  ];
}

/** Sends each case its number: whoever should hear it does, once, and nobody else ever. */
async function check(
  { everybody }: Cast,
  cases: readonly Case[],
  send: (to: Destination, value: string) => Promise<unknown>,
  label: string,
): Promise<void> {
  const logs = new Map(everybody.map((person) => [person, [] as string[]]));
  const heardBefore = new Map(
    everybody.map((person) => [person, person.client.messages.all.length]),
  );
  for (const [to, expected] of cases) {
    const value = `${label} ${JSON.stringify(to)}`;
    await send(to, value);
    for (const person of expected) logs.get(person)!.push(value);
    // Once those who should hear it have, whatever went to others is on its way, too.
    await Promise.all(
      expected.map(({ client }) => client.messages.first(([heard]) => heard === value, value)),
    );
  }
  await Promise.all(everybody.map(({ client }) => client.invoke('echo', 'after all of it')));
  for (const [person, log] of logs) {
    const heard = person.client.messages.all.slice(heardBefore.get(person));
    expect(heard).toEqual(log.map((value) => [value]));
  }
}

function ids(people: readonly Person[]): string[] {
  return people.map(({ id }) => id);
}

/** Client protocols reference, section 6.3. */
export const reach: readonly Scenario[] = [
  {
    name: 'reaches exactly who is meant, from a hub and from outside',
    several: true,
    async run(context) {
      const cast = await gather(context);
      const caller = cast.bob[0]!.client;
      const inHub = [...cases(cast), ...callerCases(cast)];
      await check(cast, inHub, (to, value) => caller.invoke('relay', to, [value]), 'in the hub:');
      const outside = (to: Destination, value: string): Promise<void> =>
        context.app.control({ do: 'send', hub: HUB, to, args: [value] });
      await check(cast, cases(cast), outside, 'outside:');
    },
  },
  {
    name: 'keeps hubs apart that share a server, users and group names',
    several: true,
    async run(context) {
      const userId = context.unique('user');
      const group = context.unique('group');
      const main = await context.connectAll({ hub: 'main', userId });
      const other = await context.connectAll({ hub: 'other', userId });
      for (const client of [...main, ...other]) await client.invoke('join', group);
      const otherIds = await Promise.all(other.map((client) => client.id()));
      await main[0]!.invoke('relay', ['group', group], ['group']);
      await main[0]!.invoke('relay', ['user', userId], ['user']);
      await main[0]!.invoke('relay', ['clients', otherIds], ['foreign ids']);
      for (const client of main) await client.numbers(2);
      for (const client of other) await client.invoke('echo', 'after all of it');
      expect(main.map(({ messages }) => messages.all)).toEqual(
        main.map(() => [['group'], ['user']]),
      );
      expect(other.map(({ messages }) => messages.all)).toEqual(other.map(() => []));
    },
  },
];
