import { expect, it } from 'vitest';

import type { AppServer } from '../../conformance/start-app-server.ts';
import { connect } from './typed-client.ts';

const PAGE = 2;

/** The package's own question for the members of a group, which names no number of them. */
export function defineMembershipTests(app: () => AppServer): void {
  it('lists the members of a group, whatever the size of a page', async () => {
    const users = ['ann', 'bob', 'cal', 'dan', undefined];
    const group = 'listed';
    const clients = await Promise.all(
      users.map((userId) =>
        connect(app(), 'typed', userId === undefined ? {} : { userId }, 'json'),
      ),
    );
    const members = await Promise.all(
      clients.map(async (client, at) => {
        await client.invoke('join', group);
        return [await client.id(), users[at] ?? null];
      }),
    );
    const list = async (query: string): Promise<[string, string | null][][]> => {
      const answer = await fetch(`${app().url}/typed/members?group=${group}${query}`);
      if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
      return (await answer.json()) as [string, string | null][][];
    };
    const sorted = (rows: readonly (readonly (string | null)[])[]): unknown[] =>
      rows.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    expect(sorted((await list('')).flat())).toEqual(sorted(members));
    const pages = await list(`&pageSize=${PAGE}`);
    expect(pages.map((page) => page.length)).toEqual([PAGE, PAGE, 1]);
    expect(sorted(pages.flat())).toEqual(sorted(members));
    await Promise.all(clients.map(({ connection }) => connection.stop()));
  });
}
