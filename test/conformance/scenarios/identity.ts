import { expect } from 'vitest';

import type { About } from '../contract.ts';
import { NEEDS, type Scenario, WITHOUT_CONTROL, WITHOUT_PACKAGE } from '../scenario.ts';

/** Who the hub takes a client for. */
export const identity: readonly Scenario[] = [
  {
    name: 'knows the connection by one id on both sides',
    needs: [NEEDS.ownId],
    async run(context) {
      const client = await context.connect();
      const { connectionId } = await client.invoke<About>('about');
      expect(connectionId).toMatch(/^[\w-]{20,}$/);
      // Without negotiate, nobody tells the client.
      const expected = context.kind.way.negotiates ? connectionId : null;
      expect(client.connection.connectionId).toBe(expected);
    },
  },
  {
    name: 'knows the user and the claims, repeated ones as lists',
    withoutPackage: WITHOUT_PACKAGE.reservedClaims,
    async run(context) {
      const userId = context.unique('Jörg 🙂');
      const claims = { role: ['admin', 'editor'], team: 'blue', iss: 'somewhere' };
      const client = await context.connect({ userId, claims });
      const about = await client.invoke<About>('about');
      expect(about.userIdentifier).toBe(userId);
      expect(about.claims).toMatchObject({ team: 'blue', iss: 'somewhere' });
      expect(rolesOf(about)).toEqual(['admin', 'editor']);
    },
  },
  {
    name: 'has no user where none was named',
    async run(context) {
      const client = await context.connect();
      const about = await client.invoke<About>('about');
      expect(about.userIdentifier).toBeNull();
      expect(about.claims).toEqual({});
    },
  },
  {
    name: "shows the client's own headers, and none that are secret or the transport's",
    needs: [NEEDS.headers],
    withoutControl: WITHOUT_CONTROL.request,
    async run(context) {
      const client = await context.connect({ headers: { 'X-Tenant': 'blue, green' } });
      const { headers } = await client.invoke<About>('about');
      expect(headers).toMatchObject({ 'x-tenant': 'blue, green' });
      const hidden = /^(authorization|connection|upgrade|sec-websocket-.*|x-asrs-.*)$/;
      expect(Object.keys(headers).filter((name) => hidden.test(name))).toEqual([]);
      expect(JSON.stringify(headers)).not.toContain('Bearer');
    },
  },
  {
    name: 'shows the query without the token',
    withoutControl: WITHOUT_CONTROL.request,
    async run(context) {
      const query = { tenant: 'a b&c=ü', list: '1,2' };
      const client = await context.connect({ query });
      const about = await client.invoke<About>('about');
      expect(Object.fromEntries(about.query)).toMatchObject(query);
      expect(about.query.map(([name]) => name)).not.toContain('access_token');
    },
  },
];

/** By the short name or by the long one that .NET knows. */
function rolesOf({ claims }: About): unknown {
  return claims['role'] ?? claims['http://schemas.microsoft.com/ws/2008/06/identity/claims/role'];
}
