import { longClaimType, shortClaimType } from '@trunkline/tokens';
import { expect, it } from 'vitest';

import type { AppServer } from '../../conformance/start-app-server.ts';
import { byType, type ClaimList, NAME_IDENTIFIER, PEOPLE, signIn } from './identities.ts';
import { connectWith } from './typed-client.ts';

/** What `Members.Badge` answers. */
interface Badge {
  readonly userIdentifier: string | null;
  readonly authenticationType: string;
  readonly name: string;
  readonly sub: string | null;
  readonly email: string;
  readonly roles: readonly string[];
  readonly claims: ClaimList;
}

/** A hub knows people by the names their claims were given, as it does without a service. */
export function defineClaimsTests(app: () => AppServer, service: boolean): void {
  it.for(PEOPLE)('knows people by %s', async ([, person]) => {
    const { scheme, claims, known } = person;
    await using client = await connectWith(app(), 'members', await signIn(app(), person), 'json');
    const badge = await client.invoke<Badge>('badge');
    const { name, sub, email, roles } = badge;
    expect({ name, sub, email, roles }).toEqual(known);
    expect(badge.authenticationType).toBe(scheme);
    const own = byType(claims).get(NAME_IDENTIFIER)?.[0];
    // The service has a user id for everybody who has a `sub`, where Kestrel looks no further.
    expect(badge.userIdentifier).toBe(own ?? (service ? known.sub : null));
    const secret = await client.invoke('secret').catch(() => 'refused');
    expect(secret).toBe(known.roles.includes('admin') ? 'the vault is empty' : 'refused');
    const seen = byType(badge.claims);
    const given = byType(claims);
    for (const [type, values] of given) {
      const all = seen.get(type) ?? [];
      // What was given comes first; behind it is what has this long type for a second name.
      expect([type, service ? all.slice(0, values.length) : all]).toEqual([type, values]);
    }
    const names = [...given.keys()];
    const second = service
      ? names.flatMap((type) => [longClaimType(type), shortClaimType(type)])
      : [];
    expect([...seen.keys()].filter((type) => ![...names, ...second].includes(type))).toEqual([]);
  });
}
