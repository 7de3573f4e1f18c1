import { Subject } from '@microsoft/signalr';
import { expect, it } from 'vitest';

import { failureOf } from '../../conformance/client.ts';
import type { AppServer } from '../../conformance/start-app-server.ts';
import type { ProtocolName } from '../../conformance/variants.ts';
import { ROLE } from './identities.ts';
import { casesInside, casesOutside, expected, gather, heard, type Tell } from './reach.ts';
import { connect, post } from './typed-client.ts';

/** What the conformance tests leave out, on the hubs that HubApp has for it. */
export function defineTypedTests(app: () => AppServer, protocols: readonly ProtocolName[]): void {
  it('reaches exactly who is meant through an interface, from a hub and from outside', async () => {
    const people = await gather(app(), protocols);
    const { client } = people[0]!;
    const inside = [...casesInside(people), ...casesOutside(people)];
    const tell: Tell = (to, text) => client.invoke('tell', to, text);
    expect(await heard(people, inside, tell)).toEqual(expected(people, inside));

    const outside = casesOutside(people);
    const url = `${app().url}/typed/tell`;
    const tellFromOutside: Tell = (to, text) => post(url, { to, text });
    expect(await heard(people, outside, tellFromOutside)).toEqual(expected(people, outside));
    await Promise.all(people.map((person) => person.client.connection.stop()));
  });

  it.for(protocols)('asks clients from a hub and from outside, in %s', async (protocol) => {
    await using asker = await connect(app(), 'typed', {}, protocol);
    await using asked = await connect(app(), 'typed', {}, protocol);
    const id = await asked.id();
    expect(await asker.invoke('askCaller', 'me?')).toBe('yes: me?');
    expect(await asker.invoke('ask', id, 'you?')).toBe('yes: you?');
    const answer = await post(`${app().url}/typed/ask?connectionId=${id}`);
    expect(answer).toBe('yes: from outside?');
  });

  it.for(protocols)('streams both ways at once through channels, in %s', async (protocol) => {
    await using client = await connect(app(), 'typed', {}, protocol);
    const numbers = new Subject<number>();
    const doubled = client.stream<number>('doubled', numbers);
    for (let n = 0; n < 100; n++) numbers.next(n);
    numbers.complete();
    expect(await doubled).toEqual(Array.from({ length: 100 }, (_, n) => 2 * n));
  });

  it.for(protocols)('runs hub filters around everything, in %s', async (protocol) => {
    await using client = await connect(app(), 'typed', {}, protocol);
    expect(await client.invoke('filtered')).toBe(true);
    expect(await client.failure('blunder', 'that was me')).toContain(
      'HubException: Excuse me: that was me',
    );
  });

  it.for(protocols)('lets only those in who may, in %s', async (protocol) => {
    const stranger = await failureOf(connect(app(), 'members', undefined, protocol));
    expect(stranger).toContain("Status code '401'");
    await using ann = await connect(app(), 'members', { userId: 'ann' }, protocol);
    expect(await ann.invoke('name')).toBe('ann');
    expect(await ann.failure('secret')).toContain('because user is unauthorized');
    const identity = { userId: 'bob', claims: { [ROLE]: 'admin' } };
    await using admin = await connect(app(), 'members', identity, protocol);
    expect(await admin.invoke('secret')).toBe('the vault is empty');
  });
}
