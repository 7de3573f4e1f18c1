import { createHmac } from 'node:crypto';

import type { IHttpConnectionOptions } from '@microsoft/signalr';

import type { AppServer } from '../../conformance/start-app-server.ts';

const XMLSOAP = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/';
export const NAME_IDENTIFIER = `${XMLSOAP}nameidentifier`;
const NAME = `${XMLSOAP}name`;
const EMAIL = `${XMLSOAP}emailaddress`;
export const ROLE = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';

/** As in HubApp's SignIns.cs. */
const PROVIDER_KEY = 'the key of an OpenID Connect provider';

export type ClaimList = readonly (readonly [type: string, value: string])[];

/** Somebody as one of ASP.NET Core's handlers signs people in, and what a hub should know of them. */
export interface Person {
  /** By a token, or by a cookie. */
  readonly bearer?: true;
  /** The handler's authentication type. */
  readonly scheme: string;
  readonly nameType: string;
  readonly roleType: string;
  readonly claims: ClaimList;
  readonly known: Known;
}

/** What identities say by way of their own names for it. */
export interface Known {
  readonly name: string;
  readonly sub: string | null;
  readonly email: string;
  /** Of those that HubApp asks for. */
  readonly roles: readonly string[];
}

/** A handler of OpenID Connect with `MapInboundClaims = false`. */
const OPEN_ID = {
  scheme: 'AuthenticationTypes.Federation',
  nameType: 'name',
  roleType: 'role',
  claims: [
    ['iss', 'https://login.example.com'],
    ['aud', 'hub-app'],
    ['exp', '4102444800'],
    ['sub', 'ada-1815'],
    ['name', 'Ada'],
    ['email', 'ada@example.com'],
    ['role', 'admin'],
    ['role', 'editor'],
    ['amr', 'pwd'],
    ['amr', 'otp'],
    ['tenant', 'north'],
  ],
  known: { name: 'Ada', sub: 'ada-1815', email: 'ada@example.com', roles: ['admin', 'editor'] },
} as const satisfies Person;

export const PEOPLE: readonly (readonly [string, Person])[] = [
  ['a token of OpenID Connect', { ...OPEN_ID, bearer: true }],
  ['a cookie of OpenID Connect', OPEN_ID],
  [
    "ASP.NET Core Identity's cookie",
    {
      scheme: 'Identity.Application',
      nameType: NAME,
      roleType: ROLE,
      claims: [
        [NAME_IDENTIFIER, '7f3c'],
        [NAME, 'bob@example.com'],
        [EMAIL, 'bob@example.com'],
        ['AspNet.Identity.SecurityStamp', 'Q2VDN'],
        [ROLE, 'editor'],
        [ROLE, 'admin'],
        ['amr', 'pwd'],
      ],
      known: {
        name: 'bob@example.com',
        sub: null,
        email: 'bob@example.com',
        roles: ['admin', 'editor'],
      },
    },
  ],
  [
    'long and short names together, repeated',
    {
      scheme: 'Mixed',
      nameType: NAME,
      roleType: 'role',
      claims: [
        [NAME_IDENTIFIER, 'cal'],
        [NAME, 'Cal'],
        ['sub', 'first'],
        ['sub', 'second'],
        ['role', 'editor'],
        ['role', 'editor'],
        ['role', 'visitor'],
        ['email', 'cal@example.com'],
        ['group', 'red'],
        ['group', 'blue'],
        ['nonce', 'n-1'],
      ],
      known: { name: 'Cal', sub: 'first', email: 'cal@example.com', roles: ['editor', 'visitor'] },
    },
  ],
];

/** Signs somebody in at the app: what a client is built with. */
export async function signIn(app: AppServer, person: Person): Promise<IHttpConnectionOptions> {
  if (person.bearer) return { accessTokenFactory: () => providerToken(person.claims) };
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify(person);
  const answer = await fetch(`${app.url}/sign-in`, { method: 'POST', headers, body });
  const cookie = answer.headers.get('set-cookie')?.split(';')[0];
  if (!answer.ok || cookie === undefined) throw new Error(`no sign-in: ${await answer.text()}`);
  return { headers: { Cookie: cookie } };
}

/** Every value of each type, in order. */
export function byType(claims: ClaimList): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const [type, value] of claims) map.set(type, [...(map.get(type) ?? []), value]);
  return map;
}

function providerToken(claims: ClaimList): string {
  const members = [...byType(claims)].map(([type, [first, ...more]]) => {
    if (type === 'exp') return [type, Number(first)];
    return [type, more.length === 0 ? first : [first, ...more]];
  });
  const parts = [{ alg: 'HS256', typ: 'JWT' }, Object.fromEntries(members)];
  const text = parts
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${text}.${createHmac('sha256', PROVIDER_KEY).update(text).digest('base64url')}`;
}
