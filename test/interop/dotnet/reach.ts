import { type Client, DEADLINE_MS } from '../../conformance/client.ts';
import type { AppServer } from '../../conformance/start-app-server.ts';
import type { ProtocolName } from '../../conformance/variants.ts';
import { connect } from './typed-client.ts';

interface Person {
  readonly client: Client;
  readonly id: string;
}

/** Ann twice, Bob and Eve. */
export type People = readonly [Person, Person, Person, Person];

/** A selector with its names, and who should hear. */
type Case = readonly [to: readonly string[], whom: readonly Person[]];

/** Calls `message` on those whom a selector means. */
export type Tell = (to: readonly string[], text: string) => Promise<unknown>;

/** Ann and Bob are in the group `red`, Bob and Eve in `blue`; they speak the protocols in turn. */
export async function gather(app: AppServer, protocols: readonly ProtocolName[]): Promise<People> {
  const appear = async (userId: string, at: number): Promise<Person> => {
    const client = await connect(app, 'typed', { userId }, protocols[at % protocols.length]!);
    return { client, id: await client.id() };
  };
  const people = await Promise.all(['ann', 'ann', 'bob', 'eve'].map(appear));
  const [ann, , bob, eve] = people as unknown as People;
  for (const { client } of [ann, bob]) await client.invoke('join', 'red');
  for (const { client } of [bob, eve]) await client.invoke('join', 'blue');
  return people as unknown as People;
}

/** What the first of them can say in a hub alone. */
export function casesInside([ann, second, bob, eve]: People): readonly Case[] {
  return [
    [['caller'], [ann]],
    [['others'], [second, bob, eve]],
    [['othersInGroup', 'red'], [bob]],
  ];
}

/** What can be said in a hub and outside. */
export function casesOutside([ann, second, bob, eve]: People): readonly Case[] {
  return [
    [['all'], [ann, second, bob, eve]],
    [
      ['allExcept', ann.id, eve.id],
      [second, bob],
    ],
    [['client', second.id], [second]],
    [
      ['clients', ann.id, eve.id],
      [ann, eve],
    ],
    [
      ['group', 'red'],
      [ann, bob],
    ],
    [['groupExcept', 'red', ann.id], [bob]],
    // Nobody is in both: ASP.NET Core would send a copy for each, and an edge one in all.
    [
      ['groups', 'red', 'no such group'],
      [ann, bob],
    ],
    [
      ['user', 'ann'],
      [ann, second],
    ],
    [
      ['users', 'bob', 'eve'],
      [bob, eve],
    ],
  ];
}

/** What each of the people should hear when every case is told its own words, in any order. */
export function expected(people: People, cases: readonly Case[]): string[][] {
  return people.map((person) =>
    sorted(cases.filter(([, whom]) => whom.includes(person)).map(([to]) => to.join(' '))),
  );
}

/** What each of them has heard once all of it is there. */
export async function heard(
  people: People,
  cases: readonly Case[],
  tell: Tell,
): Promise<string[][]> {
  const before = people.map(({ client }) => client.messages.all.length);
  for (const [to] of cases) await tell(to, to.join(' '));
  const last = `the last of ${cases.length}`;
  for (const { client, id } of people) {
    await tell(['client', id], last);
    await client.messages.first(([text]) => text === last, last, DEADLINE_MS);
  }
  return people.map(({ client }, at) => {
    const texts = client.messages.all.slice(before[at]).map(([text]) => String(text));
    return sorted(texts.filter((text) => text !== last));
  });
}

function sorted(texts: readonly string[]): string[] {
  return texts.toSorted((a, b) => (a < b ? -1 : 1));
}
